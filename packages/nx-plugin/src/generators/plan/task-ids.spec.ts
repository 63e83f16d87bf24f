import fc from 'fast-check';
import { taskIdProblem } from '@parallel-executor/core';
import { taskIds } from './task-ids';

const idsOf = (...names: readonly string[]): readonly string[] => [...taskIds(names).values()];

describe('taskIds', () => {
  it('makes a scope a prefix', () => {
    expect(idsOf('@scope/ui', 'api', 'a b')).toEqual(['scope-ui', 'api', 'a-b']);
  });

  it('numbers names that would become the same, whatever their case', () => {
    expect(idsOf('@acme/ui', 'acme-ui', 'ACME-UI')).toEqual(['acme-ui', 'acme-ui-2', 'ACME-UI-3']);
  });

  it('keeps away from names of slots and from what git refuses', () => {
    expect(idsOf('agent-1')[0]).toMatch(/^project-agent-1-\d+$/);
    expect(idsOf('deps.lock', 'a..b', '***')).toEqual(['deps-lock', 'a.b', 'project']);
  });

  it('gives every name a valid id of its own', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 80 })), (names) => {
        const ids = [...taskIds(names).values()];
        expect(ids.map(taskIdProblem)).toEqual(names.map(() => null));
        expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(names.length);
      }),
    );
  });
});

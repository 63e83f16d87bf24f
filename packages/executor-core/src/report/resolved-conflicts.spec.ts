import { parseTaskId } from '../model/ids';
import type { RunEvent } from '../model/event';
import { planOf } from '../testing/plan';
import { whyWaiting } from './explain';
import { viewOf } from './fold';
import { runResult } from './run-result';
import { statusJson } from './status-json';

describe('a conflict that was settled', () => {
  const task = parseTaskId('a');
  const plan = planOf({ tasks: ['a'] });
  const resolved = [{ path: 'a.json', rung: 'structural', reason: 'merged by its keys' }] as const;
  const events: readonly RunEvent[] = [
    { type: 'task:landed', at: 1, task, commit: 'c', tree: 't', resolved },
  ];

  it('is told by explain, status and result', () => {
    const view = viewOf(plan, events);
    expect(whyWaiting(plan, view, task)).toBe(
      'a has landed. Conflicts were settled in a.json (structural: merged by its keys).',
    );
    expect(statusJson(view, 2).tasks[0]?.resolved).toEqual(resolved);
    expect(runResult(plan, events, 2).merges[0]?.resolved).toEqual(resolved);
  });
});

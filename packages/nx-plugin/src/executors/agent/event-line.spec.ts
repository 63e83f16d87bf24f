import { parseTaskId, type EventOf, type RunEvent } from '@parallel-executor/core';
import { eventLine } from './event-line';

const api = parseTaskId('api');
const candidate: EventOf<'task:queued'>['candidate'] = {
  commit: 'c',
  tree: 't',
  base: 'b',
  ref: 'r',
  fence: 1,
  noop: false,
  files: ['a.ts'],
  fileCount: 1,
};

describe('eventLine', () => {
  it.each<[string, RunEvent]>([
    [
      'api: waits for ui (agent-2)',
      { type: 'task:waiting', task: api, holders: ['ui (agent-2)'], at: 1 },
    ],
    ['api: 40 % wiring', { type: 'task:progress', task: api, percent: 40, note: 'wiring', at: 1 }],
    ['api: thinking', { type: 'task:progress', task: api, percent: null, note: 'thinking', at: 1 }],
    [
      'api: done, changed files: 1',
      { type: 'task:queued', task: api, attempt: 1, candidate, at: 1 },
    ],
    [
      'api: done, nothing to change',
      {
        type: 'task:queued',
        task: api,
        attempt: 1,
        candidate: { ...candidate, noop: true },
        at: 1,
      },
    ],
    [
      'api: landed as 0123456789',
      { type: 'task:landed', task: api, commit: '0123456789abcdef', tree: 't', at: 1 },
    ],
    [
      'api: attempt 2: agent exited with code 3',
      {
        type: 'attempt:failed',
        task: api,
        attempt: 2,
        failure: { kind: 'agent-exit', code: 3, tail: '' },
        salvage: null,
        at: 1,
      },
    ],
  ])('says %s', (line, event) => {
    expect(eventLine(event, 'api')).toBe(line);
  });

  it('is silent about other tasks and about bookkeeping', () => {
    expect(
      eventLine({ type: 'task:landed', task: api, commit: 'c', tree: 't', at: 1 }, 'ui'),
    ).toBeNull();
    expect(eventLine({ type: 'run:mode', mode: 'running', reason: '', at: 1 }, 'api')).toBeNull();
    expect(eventLine({ type: 'task:leasing', task: api, at: 1 }, 'api')).toBeNull();
  });
});

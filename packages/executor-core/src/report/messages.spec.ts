import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import {
  candidateOf,
  failed,
  landed,
  planOf,
  runStarted,
  second,
  started,
} from '../testing/run-fixture';
import { countText, durationText, listText } from './duration-text';
import { emptyView, foldEvent, RunFold } from './fold';
import { describeEvent, requestText } from './messages';

const plan = planOf({ api_routes: {}, milestone: { profile: null } });
const api = parseTaskId('api_routes');

/** The line of the last of `events`, after all of them are folded. */
function lastLine(...events: readonly RunEvent[]): string | null {
  const fold = new RunFold(emptyView(plan));
  let line: string | null = null;
  for (const event of events) {
    fold.apply(event);
    line = describeEvent(event, () => fold.view);
  }
  return line;
}

describe('the line of an event', () => {
  it('of a landed task tells attempt, time and size', () => {
    expect(
      lastLine(runStarted(plan), ...started('api_routes', 1, 0), ...landed('api_routes', 3.1)),
    ).toBe('landed  api_routes  (attempt 1, 3.1 s, 1 file)');
  });

  it('of a milestone and of cached work says so', () => {
    const task = parseTaskId('milestone');
    expect(lastLine({ type: 'task:landed', at: second(1), task, commit: null, tree: null })).toBe(
      'landed  milestone  (milestone)',
    );
    expect(
      lastLine(
        { type: 'task:cached', at: second(1), task: api, candidate: candidateOf('api_routes') },
        { type: 'task:landed', at: second(2), task: api, commit: 'c', tree: 't' },
      ),
    ).toBe('landed  api_routes  (from the cache, 1 file)');
  });

  it('of a checkpoint is there only when it could not be made', () => {
    const about = { task: api, attempt: 1, at: second(1) };
    const made = { ref: 'refs/parallel/PEXEC-1/api_routes/wip-1', commit: 'c' };
    expect(lastLine({ type: 'task:checkpointed', ...about, ...made })).toBeNull();
    expect(lastLine({ type: 'checkpoint:failed', ...about, message: 'disk full\nfatal' })).toBe(
      'no checkpoint  api_routes  (disk full)',
    );
  });

  it('of a start names slot, profile and, when it is not the first, the attempt', () => {
    expect(lastLine(...started('api_routes', 3, 0))).toBe(
      'started  api_routes  (agent-3, codemod)',
    );
    expect(lastLine(...started('api_routes', 3, 0, 2))).toBe(
      'started  api_routes  (agent-3, codemod, attempt 2)',
    );
  });

  it('of a failure and of a retry gives the reason', () => {
    expect(lastLine(...started('api_routes', 1, 0), ...failed('api_routes', 2))).toBe(
      'failed  api_routes  (attempt 1, agent exited with code 3)',
    );
    const failure = { kind: 'conflict', paths: ['a.ts'], onto: 'x' } as const;
    expect(
      lastLine({
        type: 'task:retrying',
        at: second(1),
        task: api,
        attempt: 2,
        retryAt: second(3),
        failure,
      }),
    ).toBe('retrying  api_routes  (attempt 2 in 2.0 s, conflicts with the landed work in a.ts)');
  });

  it('of a conflict tells who resolves it, and of the landing who did', () => {
    const about = { task: api, attempt: 1 };
    const resolving = { type: 'task:healing', at: second(2), ...about, healer: 'judge' } as const;
    const events = [...started('api_routes', 1, 0), { ...resolving, conflict: ['a.ts', 'b.ts'] }];
    expect(lastLine(...events)).toBe('resolving  api_routes  (judge, a.ts, b.ts)');
    const healed = { type: 'task:healed', at: second(3), ...about, note: '' } as const;
    const landing = {
      type: 'task:landed',
      at: second(4),
      task: api,
      commit: 'c',
      tree: 't',
    } as const;
    expect(lastLine(...events, { ...healed, outcome: 'fixed' }, landing)).toContain(
      'attempt 1, resolved by judge,',
    );
  });

  it('of the run tells start, mode and end', () => {
    expect(lastLine(runStarted(plan))).toBe(
      'run PEXEC-1705316400000 started: 2 tasks, at most 4 agents, from bbbbbbbbbb',
    );
    expect(lastLine({ type: 'run:mode', at: second(1), mode: 'draining', reason: 'Ctrl-C' })).toBe(
      'run is draining: Ctrl-C',
    );
    expect(lastLine({ type: 'run:finished', at: second(1), outcome: 'failed' })).toBe(
      'run failed: 0 of 2 tasks landed',
    );
  });

  it('of a held target names the branch and the reason', () => {
    expect(
      lastLine({
        type: 'target:held',
        at: second(1),
        ref: 'refs/heads/main',
        commit: 'c',
        reason: 'main moved',
      }),
    ).toBe('main was not moved: main moved');
  });

  it('is missing for progress and other events that change no state', () => {
    expect(lastLine({ type: 'task:progress', at: 1, task: api, percent: 3, note: '' })).toBeNull();
    expect(lastLine({ type: 'timer:due', at: 1, task: api })).toBeNull();
  });
});

describe('an event of a newer version', () => {
  it('has no line and changes nothing but the time', () => {
    const unknown = { type: 'task:teleported', at: second(1), task: api } as unknown as RunEvent;
    expect(lastLine(unknown)).toBeNull();
    const before = emptyView(plan);
    expect(foldEvent(before, unknown).tasks).toEqual(before.tasks);
  });
});

describe('small texts', () => {
  it('name requests', () => {
    expect(requestText({ kind: 'pause' })).toBe('pause');
    expect(requestText({ kind: 'kill', target: 'agent-3' })).toBe('kill agent-3');
    expect(requestText({ kind: 'stop', how: 'drain' })).toBe('stop (drain)');
  });

  it.each([
    [0, '0.0 s'],
    [3149, '3.1 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [7_620_000, '2 h 07 min'],
  ])('give %i ms as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('count and shorten lists', () => {
    expect(countText(1, 'file')).toBe('1 file');
    expect(countText(0, 'file')).toBe('0 files');
    expect(listText(['a', 'b', 'c', 'd', 'e'])).toBe('a, b, c and 2 more');
  });
});

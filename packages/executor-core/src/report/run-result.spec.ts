import type { RunEvent, RunOutcome } from '../model/event';
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
import { runResult } from './run-result';

function finished(at: number, outcome: RunOutcome): RunEvent {
  return { type: 'run:finished', at: second(at), outcome };
}

const plan = planOf({ one: {}, two: {}, three: {}, four: { dependsOn: ['one'] } });
const journal: readonly RunEvent[] = [
  runStarted(plan),
  ...started('one', 1, 0),
  ...started('two', 2, 0),
  ...started('three', 3, 0),
  ...failed('three', 20),
  ...landed('one', 30),
  ...started('four', 1, 30),
  ...landed('two', 45),
  ...landed('four', 55),
  {
    type: 'target:advanced',
    at: second(55),
    ref: 'refs/heads/main',
    commit: 'a'.repeat(40),
  },
  finished(60, 'failed'),
];

describe('the result of a run', () => {
  const result = runResult(plan, journal, second(999));

  it('is the parallel_execution object of the specification, key for key', () => {
    expect(result.parallel_execution).toEqual({
      id: 'PEXEC-1705316400000',
      status: 'completed',
      config: { max_concurrency: 4, fail_fast: false, timeout_ms: 3_600_000 },
      tasks: { total: 4, completed: 3, failed: 1, ids: ['one', 'two', 'three', 'four'] },
      results: {
        one: {
          status: 'completed',
          started_at: '2024-01-15T11:00:00.000Z',
          completed_at: '2024-01-15T11:00:30.000Z',
          duration_ms: 30_000,
        },
        two: {
          status: 'completed',
          started_at: '2024-01-15T11:00:00.000Z',
          completed_at: '2024-01-15T11:00:45.000Z',
          duration_ms: 45_000,
        },
        three: {
          status: 'failed',
          started_at: '2024-01-15T11:00:00.000Z',
          failed_at: '2024-01-15T11:00:20.000Z',
          error: 'agent exited with code 3',
        },
        four: {
          status: 'completed',
          started_at: '2024-01-15T11:00:30.000Z',
          completed_at: '2024-01-15T11:00:55.000Z',
          duration_ms: 25_000,
        },
      },
      timing: {
        started_at: '2024-01-15T11:00:00.000Z',
        completed_at: '2024-01-15T11:01:00.000Z',
        total_duration_ms: 60_000,
        sequential_estimate_ms: 120_000,
        speedup_factor: 2,
      },
      resources: { peak_concurrency: 3, avg_concurrency: 2 },
    });
  });

  it('lists failures with where their log lies, merges in landing order, and the critical path', () => {
    expect(result.failures).toEqual([
      {
        task: 'three',
        attempt: 1,
        kind: 'agent-exit',
        message: 'agent exited with code 3',
        log: '.parallel/runs/PEXEC-1705316400000/tasks/three/attempt-1/transcript.log',
        class: 'agent-failed',
        salvage: null,
        attempts: [
          {
            attempt: 1,
            class: 'agent-failed',
            kind: 'agent-exit',
            message: 'agent exited with code 3',
            log: '.parallel/runs/PEXEC-1705316400000/tasks/three/attempt-1/transcript.log',
            salvage: null,
            healer: null,
          },
        ],
      },
    ]);
    expect(result.merges.map((merge) => merge.task)).toEqual(['one', 'two', 'four']);
    expect(result.critical_path).toEqual(['one', 'four']);
    expect(result.target).toEqual({ ref: 'refs/heads/main', commit: 'a'.repeat(40), held: null });
  });
});

describe('the status', () => {
  const solo = planOf({ a: {} });
  const statusOf = (events: readonly RunEvent[], of = solo): string =>
    runResult(of, [runStarted(of), ...events], second(9)).parallel_execution.status;

  it('is running until the run has finished', () => {
    expect(statusOf(started('a', 1, 0))).toBe('running');
  });

  it('is failed when nothing completed', () => {
    expect(statusOf([...started('a', 1, 0), ...failed('a', 1), finished(2, 'failed')])).toBe(
      'failed',
    );
  });

  it('is stopped when a person ended the run early', () => {
    const cancelled: RunEvent = {
      type: 'task:cancelled',
      at: second(1),
      task: parseTaskId('a'),
      by: 'SIGTERM',
    };
    expect(statusOf([...started('a', 1, 0), cancelled, finished(2, 'stopped')])).toBe('stopped');
  });

  it('is failed when a failure stopped a fail-fast run, whatever completed', () => {
    const fast = planOf({ a: {}, b: {} }, { failureStrategy: 'fail_fast' });
    const events = [
      ...started('a', 1, 0),
      ...landed('a', 1),
      ...started('b', 1, 1),
      ...failed('b', 2),
      finished(3, 'stopped'),
    ];
    expect(statusOf(events, fast)).toBe('failed');
  });

  it('is completed for a plan without tasks', () => {
    expect(statusOf([finished(0, 'completed')], planOf({}))).toBe('completed');
  });
});

describe('a task’s entry', () => {
  it('gives no times to a task that never started, and names what blocked it', () => {
    const events: readonly RunEvent[] = [
      ...journal.slice(0, 4),
      { type: 'task:blocked', at: second(1), task: parseTaskId('four'), by: parseTaskId('one') },
    ];
    const { results } = runResult(plan, events, second(9)).parallel_execution;
    expect(results['four']).toEqual({ status: 'blocked', error: 'blocked by one' });
    expect(results['two']).toEqual({ status: 'pending' });
  });

  it('of cached work takes no time and is marked in the merges', () => {
    const task = parseTaskId('one');
    const events: readonly RunEvent[] = [
      runStarted(plan),
      { type: 'task:cached', at: second(2), task, candidate: candidateOf('one') },
      { type: 'task:landed', at: second(3), task, commit: null, tree: null },
    ];
    const result = runResult(plan, events, second(9));
    expect(result.parallel_execution.results['one']).toEqual({
      status: 'completed',
      started_at: '2024-01-15T11:00:03.000Z',
      completed_at: '2024-01-15T11:00:03.000Z',
      duration_ms: 0,
    });
    expect(result.merges).toEqual([{ task: 'one', commit: null, cached: true, resolved: [] }]);
  });

  it('of a conflict says which paths wait, and where the work is kept', () => {
    const task = parseTaskId('one');
    const events: readonly RunEvent[] = [
      runStarted(plan),
      ...started('one', 1, 0),
      { type: 'task:queued', at: second(1), task, attempt: 1, candidate: candidateOf('one') },
      { type: 'task:conflicted', at: second(2), task, paths: ['x.ts'] },
    ];
    const result = runResult(plan, events, second(9));
    expect(result.parallel_execution.results['one']).toMatchObject({
      status: 'conflicted',
      error: 'conflict in x.ts',
    });
    expect(result.failures[0]).toMatchObject({ kind: 'conflict', salvage: candidateOf('one').ref });
  });
});

describe('the critical path', () => {
  it('is the longest chain by measured time, not by number of tasks', () => {
    const forked = planOf({
      a: {},
      b: { dependsOn: ['a'] },
      c: { dependsOn: ['b'] },
      long: { dependsOn: ['a'] },
    });
    const events = [
      runStarted(forked),
      ...started('a', 1, 0),
      ...landed('a', 1),
      ...started('b', 1, 1),
      ...started('long', 2, 1),
      ...landed('b', 2),
      ...started('c', 1, 2),
      ...landed('c', 3),
      ...landed('long', 50),
    ];
    expect(runResult(forked, events, second(50)).critical_path).toEqual(['a', 'long']);
  });

  it('is empty before anything ran', () => {
    expect(runResult(plan, [runStarted(plan)], second(1)).critical_path).toEqual([]);
  });
});

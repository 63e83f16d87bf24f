import { parseTaskId } from '../model/ids';
import type { Candidate } from '../model/event';
import { candidateOf } from '../testing/run-fixture';
import { startedBench as bench } from '../testing/scheduler-bench';

const person: Candidate = candidateOf('a', { fence: 0 });

/** `a` is in conflict, `b` waits for it, `open` keeps the run from being over. */
function conflicted(tasks: readonly string[] = ['open']) {
  const run = bench({
    settings: { conflictPolicy: 'manual' },
    tasks: ['a', { id: 'b', dependsOn: ['a'] }, ...tasks],
  });
  run.lease('a').fail('a', { kind: 'conflict', paths: ['x'], onto: 'f'.repeat(40) });
  expect(run.names('a', 'b')).toEqual(['conflicted', 'blocked']);
  const resolve = (attempt = 1) =>
    run.tell({
      type: 'task:resolved',
      task: parseTaskId('a'),
      attempt,
      candidate: person,
      by: 'ann',
    });
  return { run, resolve };
}

describe('a conflict that a person settled', () => {
  it('sends the task to the merge queue and frees what it blocked', () => {
    const { run, resolve } = conflicted();
    run.take('land');
    resolve();
    expect(run.names('a', 'b')).toEqual(['queued', 'pending']);
    expect(run.takeAll('land')).toHaveLength(1);
    expect(run.events('task:reopened')).toMatchObject([{ task: 'b', by: 'ann' }]);
  });

  it('is taken once, and only for the attempt it is about', () => {
    const { run, resolve } = conflicted();
    resolve(2);
    expect(run.nameOf('a')).toBe('conflicted');
    resolve();
    const after = run.state;
    resolve();
    expect(run.state.tasks).toBe(after.tasks);
  });

  it('waits for a resume when the run is over', () => {
    const { run, resolve } = conflicted([]);
    expect(run.state.outcome).toBe('failed');
    resolve();
    expect(run.names('a', 'b')).toEqual(['queued', 'blocked']);
    run.take('land');
    run.resume();
    expect(run.takeAll('land')).toHaveLength(1);
    expect([run.names('a', 'b'), run.state.outcome]).toEqual([['queued', 'pending'], null]);
  });
});

import { nodeClock } from '../adapters/node-clock';
import type { Fact } from '../model/event';
import type { Clock } from '../ports/clock';
import { HandClock } from '../testing/hand-clock';
import type { LeaseStore } from '../locks/lease-store';
import { parseRunId } from '../model/ids';
import { planOf } from '../testing/plan';
import { Activity } from './activity';
import type { ActivityDeps } from './activity';

const [task] = planOf({ tasks: ['a'] }).tasks;
if (task === undefined) throw new Error('The plan has one task.');

function activityWith(
  acquire: LeaseStore['acquire'],
  clock: Clock = nodeClock(),
): { activity: Activity; facts: Fact[]; calls: string[] } {
  const facts: Fact[] = [];
  const calls: string[] = [];
  const deps: ActivityDeps = {
    clock,
    leases: { acquire } as LeaseStore,
    attempts: {
      start: () => Promise.resolve(),
      stop: () => undefined,
      suspend: (id) => calls.push(`suspend ${id}`),
      continue: (id) => calls.push(`continue ${id}`),
      killAll: () => undefined,
    },
    lander: { idle: () => Promise.resolve(), request: () => undefined, halt: () => undefined },
    run: parseRunId('PEXEC-1'),
    taskOf: () => task as NonNullable<typeof task>,
    conflictPolicy: 'wait',
    insist: (work) => work(),
    emit: (fact) => {
      facts.push(fact);
      return Promise.resolve();
    },
  };
  return { activity: new Activity(deps), facts, calls };
}

describe('asking for a lease', () => {
  it('that cannot be written fails the attempt, so that the task does not wait for ever', async () => {
    const { activity, facts } = activityWith(() => Promise.reject(new Error('ENOSPC: no space')));
    activity.perform({ type: 'acquire', task: task.id, attempt: 2, slots: [1] });
    await activity.settle();
    expect(facts).toMatchObject([
      {
        type: 'attempt:failed',
        attempt: 2,
        failure: { kind: 'agent-error', message: 'no lease: ENOSPC: no space' },
      },
    ]);
  });

  it('and no longer wanting it says nothing', async () => {
    const { activity, facts } = activityWith(
      (_request, { signal }) =>
        new Promise((resolve) => {
          const refuse = (): void => {
            resolve({ granted: false, reason: 'aborted', holders: [] });
          };
          signal?.addEventListener('abort', refuse, { once: true });
          if (signal?.aborted === true) refuse();
        }),
    );
    activity.perform({ type: 'acquire', task: task.id, attempt: 1, slots: [1] });
    activity.perform({ type: 'withdraw', task: task.id });
    await activity.settle();
    expect(facts).toEqual([]);
  });
});

describe('a deadline', () => {
  const never: LeaseStore['acquire'] = () => Promise.reject(new Error('nobody asks'));

  it('is reported when it has come, of the task and of the run', () => {
    const clock = new HandClock();
    const { activity, facts } = activityWith(never, clock);
    activity.perform({ type: 'deadline', task: task.id, at: 5000 });
    activity.perform({ type: 'deadline', task: null, at: 500 });
    clock.pass(10_000);
    expect(facts).toEqual([
      { type: 'run:overdue', at: 500 },
      { type: 'task:overdue', task: 'a', at: 5000 },
    ]);
  });

  it('is replaced by a later one, and forgotten when the run is over', async () => {
    const clock = new HandClock();
    const { activity, facts } = activityWith(never, clock);
    activity.perform({ type: 'deadline', task: task.id, at: 5000 });
    activity.perform({ type: 'deadline', task: task.id, at: 9000 });
    clock.pass(8999);
    expect(clock.waiting).toBe(1);
    await activity.settle();
    clock.pass(1);
    expect(facts).toEqual([]);
  });

  it('leaves suspending and continuing to the attempts', () => {
    const { activity, calls } = activityWith(never);
    activity.perform({ type: 'suspend', task: task.id });
    activity.perform({ type: 'continue', task: task.id });
    expect(calls).toEqual(['suspend a', 'continue a']);
  });
});

describe('a back-off', () => {
  it('takes as long as was decided, however the clock is set before it begins', () => {
    const clock = new HandClock();
    const { activity, facts } = activityWith(() => Promise.reject(new Error('nobody asks')), clock);
    clock.pass(1_000_000);
    activity.perform({ type: 'wake', task: task.id, afterMs: 300 });
    clock.pass(299);
    expect(facts).toEqual([]);
    clock.pass(1);
    expect(facts).toEqual([{ type: 'timer:due', task: 'a', at: 1_000_300 }]);
  });
});

import { nodeClock } from '../adapters/node-clock';
import type { Fact } from '../model/event';
import type { LeaseStore } from '../locks/lease-store';
import { parseRunId } from '../model/ids';
import { planOf } from '../testing/plan';
import { Activity } from './activity';
import type { ActivityDeps } from './activity';

const [task] = planOf({ tasks: ['a'] }).tasks;
if (task === undefined) throw new Error('The plan has one task.');

function activityWith(acquire: LeaseStore['acquire']): { activity: Activity; facts: Fact[] } {
  const facts: Fact[] = [];
  const deps: ActivityDeps = {
    clock: nodeClock(),
    leases: { acquire } as LeaseStore,
    attempts: {
      start: () => Promise.resolve(),
      stop: () => undefined,
      suspend: () => undefined,
      continue: () => undefined,
      killAll: () => undefined,
    },
    lander: { idle: () => Promise.resolve(), request: () => undefined, halt: () => undefined },
    run: parseRunId('PEXEC-1'),
    taskOf: () => task as NonNullable<typeof task>,
    conflictPolicy: 'wait',
    emit: (fact) => {
      facts.push(fact);
      return Promise.resolve();
    },
  };
  return { activity: new Activity(deps), facts };
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

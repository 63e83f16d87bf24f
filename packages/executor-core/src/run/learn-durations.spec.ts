import type { DurationSample } from '../graph/durations';
import type { RunEvent } from '../model/event';
import type { Failure } from '../model/failure';
import { parseTaskId, type TaskId } from '../model/ids';
import { taskKey } from '../plan/task-key';
import { planOf } from '../testing/run-fixture';
import { recordDurations } from './learn-durations';

const plan = planOf({ a: { taskType: 'api', project: 'shop' }, b: {}, gate: { profile: null } });

const started = (id: string, at: number): RunEvent => ({
  type: 'task:started',
  task: parseTaskId(id),
  attempt: 1,
  slot: 1,
  base: '',
  branch: '',
  worktree: '',
  profile: 'x',
  at,
});
const queued = (id: string, at: number): RunEvent => ({
  type: 'task:queued',
  task: parseTaskId(id),
  attempt: 1,
  candidate: {
    commit: '',
    tree: '',
    base: '',
    ref: '',
    fence: 1,
    noop: false,
    files: [],
    fileCount: 0,
  },
  at,
});
const failed = (id: string, at: number, failure: Failure): RunEvent => ({
  type: 'attempt:failed',
  task: parseTaskId(id) satisfies TaskId,
  attempt: 1,
  failure,
  salvage: null,
  at,
});

async function recorded(events: readonly RunEvent[]): Promise<readonly DurationSample[]> {
  const samples: DurationSample[] = [];
  const recorder = recordDurations(
    {
      read: () => Promise.resolve([]),
      add: (sample) => {
        samples.push(sample);
        return Promise.resolve();
      },
    },
    plan,
  );
  events.forEach(recorder.take);
  await recorder.settled();
  return samples;
}

describe('recording durations', () => {
  it('measures an attempt from its start until its result waits to land', async () => {
    const [a] = plan.tasks;
    if (a === undefined) throw new Error('no task');
    expect(await recorded([started('a', 100), started('b', 110), queued('a', 350)])).toEqual([
      {
        key: taskKey(plan, a),
        taskType: 'api',
        project: 'shop',
        profile: a.profile,
        ms: 250,
        at: 350,
        ok: true,
      },
    ]);
  });

  it('keeps failures apart, and leaves out what others ended', async () => {
    const exit: Failure = { kind: 'agent-exit', code: 1, tail: '' };
    const killed: Failure = { kind: 'cancelled', by: 'you' };
    const samples = await recorded([
      started('a', 0),
      failed('a', 40, exit),
      started('a', 100),
      failed('a', 110, killed),
      queued('a', 900),
      started('b', 0),
      queued('b', 7),
    ]);
    expect(samples.map(({ ms, ok }) => [ms, ok])).toEqual([
      [40, false],
      [7, true],
    ]);
  });

  it('ignores milestones, tasks of other plans and results that come twice', async () => {
    const samples = await recorded([
      started('gate', 0),
      queued('gate', 5),
      started('stranger', 0),
      queued('stranger', 5),
      started('a', 0),
      queued('a', 5),
      queued('a', 6),
    ]);
    expect(samples).toHaveLength(1);
  });

  it('does not trouble the run when nothing can be written', async () => {
    const recorder = recordDurations(
      { read: () => Promise.resolve([]), add: () => Promise.reject(new Error('disk full')) },
      plan,
    );
    for (const event of [started('a', 0), queued('a', 5)]) recorder.take(event);
    await expect(recorder.settled()).resolves.toBeUndefined();
  });
});

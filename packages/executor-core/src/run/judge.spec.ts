import type { RunEvent } from '../model/event';
import type { Task } from '../model/task';
import { describeEvent } from '../report/messages';
import { viewOf } from '../report/fold';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

jest.setTimeout(60_000);

let rig: RunRig;
beforeEach(async () => {
  rig = await makeRunRig();
});
afterEach(async () => {
  await rig.done();
});

const draft = (command: string, task: Partial<Pick<Task, 'noop' | 'verify'>>) => ({
  agents: [{ command }],
  settings: { retry: { maxRetries: 1, backoff: 'none' as const, baseMs: 0, maxMs: 0 } },
  tasks: [{ id: 'a', ...task, writes: ['a.txt'] }],
});

function queuedLine(events: readonly RunEvent[]): string | null {
  const queued = events.find((event) => event.type === 'task:queued');
  if (queued === undefined) return null;
  return describeEvent(queued, () => viewOf(planOf({ tasks: ['a'] }), events));
}

describe('an agent that says it is done and changed nothing', () => {
  it('is believed where the plan accepts that', async () => {
    const { result, events } = await rig.run(draft('true', { noop: 'accept' }));
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(queuedLine(events)).toBe('queued  a  (no change)');
  });

  it('is not believed where the plan refuses, and the next attempt hears how to declare it', async () => {
    const { result, events } = await rig.run(
      draft('[ $PARALLEL_ATTEMPT = 1 ] || cp "$PARALLEL_FEEDBACK_FILE" a.txt', { noop: 'refuse' }),
    );
    expect(result.parallel_execution.tasks.completed).toBe(1);
    const failed = events.find((event) => event.type === 'attempt:failed');
    expect(failed).toMatchObject({ failure: { kind: 'no-evidence' }, salvage: null });
    expect(await rig.git('show', 'HEAD:a.txt')).toContain('parallel-cli progress --noop');
  });

  it('is believed when it says why, and its reason is told', async () => {
    const { result, events } = await rig.run(
      draft('echo "  all routes are wired  " > "$PARALLEL_NOOP_FILE"', { noop: 'refuse' }),
    );
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(result.merges).toMatchObject([{ task: 'a', commit: null }]);
    expect(queuedLine(events)).toBe('queued  a  (no change: all routes are wired)');
  });

  it('declares nothing with an empty reason', async () => {
    const { result } = await rig.run(
      draft('echo > "$PARALLEL_NOOP_FILE"; echo words', { noop: 'refuse' }),
    );
    expect(result.failures[0]?.attempts).toMatchObject([
      { class: 'no-evidence', salvage: null },
      { class: 'no-evidence', salvage: null },
    ]);
  });

  it('has to pass the checks all the same', async () => {
    const { result } = await rig.run(
      draft('echo nothing to do > "$PARALLEL_NOOP_FILE"', { noop: 'refuse', verify: ['exit 4'] }),
    );
    expect(result.failures[0]).toMatchObject({ class: 'verify-failed' });
  });
});

it('a declared no-op beside a change is a change', async () => {
  const { result } = await rig.run(
    draft('echo x > a.txt; echo nothing > "$PARALLEL_NOOP_FILE"', { noop: 'refuse' }),
  );
  expect(result.parallel_execution.tasks.completed).toBe(1);
  expect(await rig.git('show', 'HEAD:a.txt')).toBe('x');
});

import type { EventOf, RunEvent, RunEventType } from '../model/event';
import type { Settings } from '../model/task';
import type { TaskDraft } from '../testing/plan';
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

function all<T extends RunEventType>(events: readonly RunEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

/** An agent that writes a file, looks at its index, and ends when its file is in a checkpoint. */
const UNTIL_KEPT = `mkdir -p $PARALLEL_TASK_ID; echo mine > $PARALLEL_TASK_ID/x; git add .
echo later > $PARALLEL_TASK_ID/x
touch "$PARALLEL_ROOT/.git/wrote"
before=$(git ls-files --stage; git symbolic-ref HEAD; git status --porcelain)
ref=refs/parallel/$PARALLEL_RUN_ID/$PARALLEL_TASK_ID/wip-1
until [ "$(git show $ref:$PARALLEL_TASK_ID/x 2>&1)" = later ]; do sleep 0.05; done
[ "$before" = "$(git ls-files --stage; git symbolic-ref HEAD; git status --porcelain)" ]`;
const WHEN_WRITTEN =
  'until [ -e "$PARALLEL_ROOT/.git/wrote" ]; do sleep 0.05; done; mkdir b; touch b/x';

const AGENTS = [
  { name: 'shell', command: UNTIL_KEPT },
  { name: 'other', command: WHEN_WRITTEN },
];

describe('checkpoints of a run', () => {
  const cases: readonly (readonly [Settings['checkpoint'], readonly (TaskDraft | string)[]])[] = [
    ['task', ['a', { id: 'b', profile: 'other' }]],
    ['phase', ['a', { id: 'b', profile: 'other', phase: 'one' }]],
    [20, ['a']],
  ];
  it.each(cases)(
    'of the kind %s are made while agents work and dropped at their end',
    async (checkpoint, tasks) => {
      const draft = { agents: AGENTS, phases: ['one'], settings: { checkpoint }, tasks };
      const { result, events } = await rig.run(draft);
      expect(result.failures).toEqual([]);
      const [made] = all(events, 'task:checkpointed');
      const ref = `refs/parallel/${result.parallel_execution.id}/a/wip-1`;
      expect(made).toMatchObject({ task: 'a', attempt: 1, ref });
      expect(await rig.git('show', 'HEAD:a/x')).toBe('later');
      const left = await rig.git('for-each-ref', '--format=%(refname)', 'refs/parallel/');
      expect(left).not.toContain('/wip-');
      expect(all(events, 'checkpoint:failed')).toEqual([]);
    },
  );

  it('that cannot be made are told once and fail nothing', async () => {
    // A folder in the way of the ref: git refuses it, whatever the name of the run.
    const agent = `mkdir a; ref=refs/parallel/$PARALLEL_RUN_ID/a/wip-1/x
git update-ref $ref HEAD; echo mine > a/x
until grep -q checkpoint:failed "$PARALLEL_ROOT"/.parallel/runs/*/journal-*.log; do sleep 0.05; done`;
    const draft = { agents: [{ command: agent }], settings: { checkpoint: 20 }, tasks: ['a'] };
    const { result, events } = await rig.run(draft);
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(all(events, 'checkpoint:failed')).toMatchObject([{ task: 'a', attempt: 1 }]);
    expect(all(events, 'task:checkpointed')).toEqual([]);
  });
});

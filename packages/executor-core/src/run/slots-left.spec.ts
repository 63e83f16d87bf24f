import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

jest.setTimeout(60_000);

let rig: RunRig;
beforeEach(async () => {
  rig = await makeRunRig({ 'README.md': 'one\n' });
});
afterEach(() => rig.done());

const WRITER = { command: 'mkdir -p out && echo "by $PARALLEL_AGENT_ID" > out/$PARALLEL_TASK_ID' };
const TASKS = ['a', 'b', 'c', 'd'].map((id) => ({ id, writes: [`out/${id}`] }));

/** `task:leasing b before task:queued a`, for every task and the next one in the only slot. */
const overlaps = (events: readonly RunEvent[]): readonly boolean[] => {
  const at = (type: RunEvent['type'], task: string): number =>
    events.findIndex((event) => event.type === type && 'task' in event && event.task === task);
  return [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'd'],
  ].map(([one = '', next = '']) => at('task:leasing', next) < at('task:queued', one));
};

describe('a run with one slot', () => {
  it('starts the next agent before the work of the last one is a candidate', async () => {
    const { result, events } = await rig.run({
      agents: [WRITER],
      tasks: TASKS,
      settings: { maxAgents: 1 },
    });
    expect(result.parallel_execution.tasks.completed).toBe(4);
    expect(overlaps(events)).toEqual([true, true, true]);
    expect(await rig.git('grep', '-h', 'by', 'HEAD', '--', 'out')).toBe(
      Array.from({ length: 4 }, () => 'by agent-1').join('\n'),
    );
    const left = await readdir(join(rig.root, '.worktrees'));
    expect(left.filter((name) => !name.startsWith('.'))).toEqual([]);
    expect(result.parallel_execution.resources.peak_concurrency).toBe(1);
  });

  it('hands slots on again and again without the attempts getting into each other’s way', async () => {
    const { result, events } = await rig.run({
      agents: [WRITER],
      tasks: Array.from({ length: 30 }, (_, at) => ({ id: `t${at}`, writes: [`out/t${at}`] })),
      settings: { maxAgents: 3, retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } },
    });
    expect(events.filter(({ type }) => type === 'attempt:failed')).toEqual([]);
    expect(result.parallel_execution.tasks.completed).toBe(30);
    expect((await rig.git('ls-files', 'out')).split('\n')).toHaveLength(30);
  });

  it('keeps the slot while a task has checks of its own', async () => {
    const { result, events } = await rig.run({
      agents: [WRITER],
      tasks: TASKS.map((task) => ({ ...task, verify: ['test -d out'] })),
      settings: { maxAgents: 1 },
    });
    expect(result.parallel_execution.tasks.completed).toBe(4);
    expect(overlaps(events)).toEqual([false, false, false]);
  });

  it('tries work again that turns out to be none, after the next one', async () => {
    const { result, events } = await rig.run({
      agents: [
        { command: `[ $PARALLEL_TASK_ID$PARALLEL_ATTEMPT = a1 ] || { ${WRITER.command}; }` },
      ],
      tasks: TASKS.map((task) => ({ ...task, noop: 'refuse' as const })),
      settings: { maxAgents: 1, retry: { maxRetries: 1, backoff: 'none', baseMs: 0, maxMs: 0 } },
    });
    expect(result.parallel_execution.tasks.completed).toBe(4);
    const asked = events.flatMap((event) => (event.type === 'task:leasing' ? [event.task] : []));
    expect(asked.slice(0, 2)).toEqual(['a', 'b']);
    expect(asked.lastIndexOf('a' as (typeof asked)[0])).toBeGreaterThan(1);
    const failed = events.find((event) => event.type === 'attempt:failed');
    expect(failed).toMatchObject({ task: 'a', attempt: 1, failure: { kind: 'no-evidence' } });
    expect(await rig.git('ls-files', 'out')).toBe('out/a\nout/b\nout/c\nout/d');
  });
});

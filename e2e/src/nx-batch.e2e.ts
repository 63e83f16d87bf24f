import type { NxWorkspace } from './nx-workspace';
import { makeNxWorkspace } from './nx-workspace';
import { isAlive, until } from './rig';

/** Nx sends SIGKILL this long after it asked a batch to end. */
const NX_GRACE_MS = 5000;
const BATCH = ['run-many', '-t', 'agent', '--batch', '--parallel=4', '--output-style=static'];

const WRITES =
  'echo "$PARALLEL_TASK_ID $$" >> "$PARALLEL_ROOT/.git/log"; mkdir "$PARALLEL_TASK_ID"; ls > "$PARALLEL_TASK_ID/x"';
const planOf = (command: string): string => `parallel_executor:
  default_agent: a
  retry_policy: { max_retries: 0, backoff: none }
agents: { a: { adapter: command, command: ${JSON.stringify(command)} } }
phases: [first, second]
tasks:
  one: { writes: ['one/**'], phase: first }
  two: { writes: ['two/**'], phase: first, depends_on: [one] }
  three: { writes: ['three/**'], phase: first }
  four: { writes: ['four/**'], phase: second }
`;

let workspace: NxWorkspace;
afterEach(() => workspace.done());

const names = (): readonly string[] => workspace.log().map((line) => line.split(' ')[0] ?? '');
const landed = async (): Promise<readonly string[]> =>
  (await workspace.git('ls-files', '*/x')).split('\n').filter(Boolean);
const batch = () => workspace.nx(...BATCH).finished;

describe('nx run-many -t agent --batch', () => {
  it('runs the tasks of each phase in one process and lands them; the next time Nx has it all', async () => {
    workspace = await makeNxWorkspace(planOf(WRITES));
    const first = await batch();
    expect(first).toMatchObject({ code: 0 });
    expect(await landed()).toEqual(['four/x', 'one/x', 'three/x', 'two/x']);
    expect((await workspace.git('show', 'HEAD:two/x')).split('\n')).toContain('one');
    expect((await workspace.git('show', 'HEAD:four/x')).split('\n')).toEqual(
      expect.arrayContaining(['one', 'two', 'three']),
    );
    const starts = workspace.records().filter(({ event }) => event.type === 'task:started');
    const writers = new Map(starts.map(({ by, event }) => [event.task, by]));
    expect(new Set(['one', 'two', 'three'].map((task) => writers.get(task))).size).toBe(1);
    expect(new Set(writers.values()).size).toBe(2);

    const second = await batch();
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/\[local cache\]|existing outputs match the cache/);
    expect(workspace.log()).toHaveLength(4);
    expect(await workspace.git('status', '--porcelain')).toBe('');
  });

  it('tells what failed and why, lands what did not depend on it, and skips the rest', async () => {
    workspace = await makeNxWorkspace(planOf(`test $PARALLEL_TASK_ID = one && exit 3; ${WRITES}`));
    const { code, stdout } = await batch();
    // Its own: with tasks that were not run, Nx exits as if it had been interrupted.
    expect(code).not.toBe(0);
    expect(stdout).toContain('one: agent exited with code 3');
    expect(stdout).toContain('three: landed as');
    expect(await landed()).toEqual(['three/x']);
    expect(names()).toEqual(['three']);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends by %s within Nx’s grace, with its agents; the next one pays only for what had not landed',
    async (signal) => {
      // In one process: Nx ends a tree from its leaves, and would hunt a loop's sleeps until its patience is over.
      const waits =
        'test $PARALLEL_TASK_ID = one || test -e "$PARALLEL_ROOT/.git/go" || exec sleep 1000';
      workspace = await makeNxWorkspace(planOf(`${WRITES}; ${waits}`));
      const { child, finished } = workspace.nx(...BATCH);
      await workspace.journalSays(/"task:landed","task":"one"/);
      await until(() => names().includes('two') && names().includes('three'));
      const pids = workspace.log().map((line) => Number(line.split(' ')[1]));
      const since = performance.now();
      child.kill(signal);
      await until(() => !pids.some(isAlive));
      expect(performance.now() - since).toBeLessThan(NX_GRACE_MS);
      expect((await finished).code).not.toBe(0);
      expect(await landed()).toEqual(['one/x']);

      await workspace.write({ '.git/go': '' });
      const again = await batch();
      expect(again.code).toBe(0);
      expect(again.stdout).toContain('one: nothing it depends on has changed');
      expect(names().filter((name) => name === 'one')).toHaveLength(1);
      expect(await landed()).toEqual(['four/x', 'one/x', 'three/x', 'two/x']);
      const landings = await workspace.git('log', '--format=%s', '--grep=^Parallel-Task: one$');
      expect(landings.split('\n')).toHaveLength(1);
    },
  );
});

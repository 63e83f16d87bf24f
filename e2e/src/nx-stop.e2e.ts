import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Rig } from './rig';
import { isAlive, makeRig, until } from './rig';

const EXECUTOR = resolve(__dirname, '../../packages/nx-plugin/dist/executors/agent/executor.js');
/** Nx sends SIGKILL this long after it asked a task to end. */
const NX_GRACE_MS = 5000;

/** What Nx forks for a task, as far as the executor can tell. */
const FORKED = `const { agentExecutor } = require(${JSON.stringify(EXECUTOR)});
const context = { root: process.cwd(), projectName: 'p', targetName: 'agent-a' };
agentExecutor({ task: 'a' }, context).then(({ success }) => process.exit(success ? 0 : 1));
process.on('message', () => undefined);
`;

/** Writes its pid and that of a child into the repository, then runs until somebody ends it. */
const agent = (
  trap: string,
): string => `parallel_executor: { default_agent: a, retry_policy: { max_retries: 2, backoff: none } }
agents:
  a:
    adapter: command
    command: '${trap} echo half > half.txt; sleep 1000 & echo "$$ $!" > "$PARALLEL_ROOT/.git/pids"; while :; do sleep 0.1; done'
tasks: { a: { writes: ['*.txt'] } }
`;

let rig: Rig;
let child: ChildProcess | null = null;
beforeEach(async () => {
  rig = await makeRig();
  await rig.write({ '.git/forked.js': FORKED });
});
afterEach(async () => {
  child?.kill('SIGKILL');
  for (const pid of pids()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone, as it should be.
    }
  }
  await rig.done();
});

function pids(): readonly number[] {
  if (!rig.has('.git/pids')) return [];
  return readFileSync(join(rig.root, '.git/pids'), 'utf8').trim().split(' ').map(Number);
}

/** Starts the task and waits until its agent is at work; resolves with the process and its exit code. */
async function startForked(
  trap: string,
): Promise<{ readonly forked: ChildProcess; readonly exited: Promise<number> }> {
  await rig.repository.commit({ 'parallel.yaml': agent(trap) }, 'plan');
  const env: NodeJS.ProcessEnv = { ...process.env, PARALLEL_NX_RUN: `PEXEC-${Date.now()}` };
  const forked = fork(join(rig.root, '.git/forked.js'), { cwd: rig.root, env, silent: true });
  child = forked;
  const exited = new Promise<number>((done) => {
    forked.once('exit', (code, signal) => {
      done(code ?? (signal === null ? -1 : 128));
    });
  });
  await until(() => pids().length === 2);
  await rig.journalSays(/process:started/);
  return { forked, exited };
}

describe('a task that Nx forked and ends', () => {
  it.each([
    ['SIGTERM', (forked: ChildProcess) => forked.kill('SIGTERM')],
    ['SIGINT', (forked: ChildProcess) => forked.kill('SIGINT')],
    [
      'the death of Nx',
      (forked: ChildProcess) => {
        forked.disconnect();
      },
    ],
  ])(
    'by %s is over within Nx’s grace, with its deaf agent, whose work is kept',
    async (_by, end) => {
      const { forked, exited } = await startForked('trap "" INT TERM;');
      const since = performance.now();
      end(forked);
      expect(await exited).not.toBe(0);
      expect(performance.now() - since).toBeLessThan(NX_GRACE_MS);
      expect(pids().map(isAlive)).toEqual([false, false]);
      const refs = (await rig.git('for-each-ref', '--format=%(refname)', 'refs/parallel')).split(
        '\n',
      );
      const salvage = refs.find((ref) => ref.includes('/a/salvage-')) ?? '';
      expect(await rig.git('show', `${salvage}:half.txt`)).toBe('half');
      expect(await rig.git('status', '--porcelain')).toBe('');
    },
  );

  it('from its leaves on was stopped: the agent that died first did not fail', async () => {
    const { forked, exited } = await startForked('');
    process.kill(pids()[0] ?? 0, 'SIGTERM');
    await until(() => !isAlive(pids()[0] ?? 0));
    forked.kill('SIGTERM');
    expect(await exited).not.toBe(0);
    await rig.journalSays(/"kind":"interrupted"/);
    const journal = readFileSync(
      join(
        rig.root,
        '.parallel/runs',
        readFileSync(join(rig.root, '.parallel/current'), 'utf8').trim(),
        'journal-000001.log',
      ),
      'latin1',
    );
    expect(journal).not.toMatch(/agent-signal|task:retrying/);
  });
});

it('an agent may not start agents through Nx: it would wait for itself', async () => {
  await rig.repository.commit({ 'parallel.yaml': agent('') }, 'plan');
  const env = { ...process.env, PARALLEL_TASK_ID: 'outer' };
  const forked = fork(join(rig.root, '.git/forked.js'), { cwd: rig.root, env, silent: true });
  child = forked;
  let said = '';
  forked.stderr?.on('data', (part: Buffer) => (said += part.toString()));
  expect(await new Promise((done) => forked.once('close', done))).toBe(1);
  expect(said).toContain('the agent of outer may not start agents');
  expect(rig.has('.parallel')).toBe(false);
});

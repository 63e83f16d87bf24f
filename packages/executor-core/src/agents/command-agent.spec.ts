import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeProcessRunner } from '../adapters/node-process-runner';
import { nodeProcesses } from '../adapters/node-processes';
import { readFileSync } from 'node:fs';
import type { AgentSession } from '../ports/agent';
import { planOf } from '../testing/plan';
import { commandAgent } from './command-agent';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'parallel-agent-')));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const agent = commandAgent({
  runner: nodeProcessRunner(nodeProcesses()),
  clock: nodeClock(),
});

function start(command: string): Promise<AgentSession> {
  const plan = planOf({ tasks: ['a'], agents: [{ command }] });
  const [task] = plan.tasks;
  const [profile] = plan.agents;
  if (task === undefined || profile === undefined) throw new Error('The plan has both.');
  return agent.start({
    task,
    profile,
    attempt: 1,
    worktree: folder,
    prompt: '',
    feedback: null,
    env: { PATH: process.env['PATH'] ?? '' },
    transcriptPath: join(folder, 'transcript.log'),
    onProgress: () => undefined,
  });
}

/** State letter of the process as the kernel tells it: `T` is stopped. */
const stateOf = (session: AgentSession): string =>
  /\) (\w)/.exec(readFileSync(`/proc/${session.process?.pid ?? 0}/stat`, 'utf8'))?.[1] ?? '';

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a command agent', () => {
  it('stands still while it is suspended and goes on afterwards', async () => {
    const session = await start('until test -e go; do sleep 0.02; done; echo done');
    session.suspend();
    await until(() => stateOf(session) === 'T');
    await nodeFileSystem().writeAtomic(join(folder, 'go'), '');
    expect(stateOf(session)).toBe('T');
    session.resume();
    expect(await session.ended).toEqual({ kind: 'done' });
    expect(await readFile(join(folder, 'transcript.log'), 'utf8')).toBe('done\n');
  });

  it('can be ended while it is suspended', async () => {
    const session = await start('sleep 60');
    session.suspend();
    await until(() => stateOf(session) === 'T');
    session.stop('terminate');
    expect(await session.ended).toEqual({ kind: 'signal', signal: 'SIGTERM' });
  });
});

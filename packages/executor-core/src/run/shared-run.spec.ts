import { nodeToolbox } from '../create-executor';
import type { ControlRequest } from '../model/control-request';
import type { RunEvent } from '../model/event';
import { parseRunId } from '../model/ids';
import type { Plan } from '../model/task';
import { joinRun } from '../store/run-dir';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { planOf } from '../testing/plan';
import { openEngine } from './engine';
import type { SingleTaskResult } from './nx-door';
import { runSingleTask } from './nx-door';
import { appendFact } from './engine';
import { openWorkspaceWith } from './workspace';

jest.setTimeout(30_000);

const tools = nodeToolbox();
const RUN = parseRunId('PEXEC-1705316400000');
const plan: Plan = planOf({
  agents: [{ command: 'until test -e "$PARALLEL_ROOT/go"; do sleep 0.02; done; echo x > out.txt' }],
  settings: { retry: { maxRetries: 0, backoff: 'none', baseMs: 0, maxMs: 0 } },
  tasks: [
    { id: 'a', writes: ['out.txt'] },
    { id: 'b', writes: ['b'] },
  ],
});

let repository: TestRepository;
beforeEach(async () => {
  repository = await makeRepository({ 'README.md': 'hello\n', '.gitignore': 'go\n' });
});
afterEach(async () => {
  await repository.cleanup();
});

const go = (): Promise<void> => repository.write({ go: '' });

/** One process of an Nx invocation, played by this one. */
function begin(task: string): {
  readonly done: Promise<SingleTaskResult>;
  /** Resolves when the process has taken in, or said, an event of this type. */
  readonly said: (type: RunEvent['type']) => Promise<void>;
} {
  const seen: RunEvent['type'][] = [];
  const waiting = new Set<() => void>();
  const onEvent = (event: RunEvent): void => {
    seen.push(event.type);
    for (const look of waiting) look();
  };
  const done = openEngine(tools, repository.root, 30_000).then((engine) =>
    runSingleTask(engine, plan, { task, runId: RUN, onEvent }),
  );
  const said = (type: RunEvent['type']): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (seen.includes(type)) resolve();
      };
      waiting.add(look);
      look();
    });
  return { done, said };
}

/** Asked while no process of the invocation lives. */
async function askBefore(request: ControlRequest): Promise<void> {
  await joinRun(tools.fs, repository.root, RUN, plan);
  const place = { tools, root: repository.root };
  await appendFact(place.tools, place.root, RUN, {
    type: 'control:requested',
    request,
    by: 'you',
    at: 1,
  });
}

describe('control of a run whose processes Nx starts', () => {
  it('reaches a process that runs an agent: kill ends it, and the target fails', async () => {
    const { done, said } = begin('a');
    await said('process:started');
    const workspace = await openWorkspaceWith(tools, repository.root);
    expect(await workspace.request({ kind: 'kill', target: 'a' })).toMatchObject({
      delivered: true,
    });
    const { success, reason } = await done;
    expect(success).toBe(false);
    expect(reason).toContain('cancelled by parallel-cli');
  });

  it('lets what runs land while it is paused, suspended or not', async () => {
    const { done, said } = begin('a');
    await said('process:started');
    const workspace = await openWorkspaceWith(tools, repository.root);
    await workspace.request({ kind: 'pause', suspend: true });
    await said('run:mode');
    await go();
    expect(await workspace.resume()).toMatchObject({ kind: 'signalled' });
    expect((await done).success).toBe(true);
  });

  it('makes a task that begins during a pause wait for resume, not fail', async () => {
    await go();
    await askBefore({ kind: 'pause' });
    const { done, said } = begin('a');
    await said('run:joined');
    const workspace = await openWorkspaceWith(tools, repository.root);
    const events = (await (await workspace.reader(RUN))?.events()) ?? [];
    expect(events.map(({ type }) => type)).not.toContain('task:leasing');
    expect(await workspace.resume()).toMatchObject({ kind: 'signalled' });
    expect((await done).success).toBe(true);
  });

  it('ends a task that was killed before it began, and no other', async () => {
    await go();
    await askBefore({ kind: 'kill', target: 'b' });
    expect((await begin('a').done).success).toBe(true);
    expect(await begin('b').done).toMatchObject({ success: false, reason: 'cancelled by you' });
  });
});

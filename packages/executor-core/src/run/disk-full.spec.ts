import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { RunEvent } from '../model/event';
import { viewOf } from '../report/fold';
import { statusJson } from '../report/status-json';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { planOf } from '../testing/plan';
import { runStarted } from '../testing/run-fixture';
import { createRun } from '../store/run-dir';
import { openEngine, openRunJournal } from './engine';
import { startRun } from './run';
import { openRunReader } from './run-reader';
import { openWorkspaceWith } from './workspace';

jest.setTimeout(60_000);

/** A disk of its own below the repository's state folder; `false` where that is not allowed. */
function mountDisk(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', folder]).status === 0;
}

/** Root may mount one, unless it is the root of a container that may not: then jest tells the tests as skipped. */
const canMount = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  const mounted = mountDisk(folder);
  if (mounted) execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true });
  return mounted;
})();
const onDiskOfItsOwn = canMount ? it : it.skip;

describe('a run whose disk is full', () => {
  let repository: TestRepository;
  let disk: string;

  beforeEach(async () => {
    repository = await makeRepository({ 'README.md': 'hello\n', '.gitignore': '.parallel\n' });
    disk = join(repository.root, '.parallel');
    if (canMount) mountDisk(disk);
  });
  afterEach(async () => {
    if (canMount) execFileSync('umount', ['-l', disk]);
    await repository.cleanup();
  });

  onDiskOfItsOwn(
    'waits, says so to everybody, lets agents finish, and goes on by itself when there is room',
    async () => {
      const gate = join(repository.root, '.git/gate');
      const done = join(repository.root, '.git/done');
      const command = `while [ ! -e '${gate}' ]; do sleep 0.05; done; mkdir -p "$PARALLEL_TASK_ID"; echo x > "$PARALLEL_TASK_ID/out"; echo "$PARALLEL_TASK_ID" >> '${done}'`;
      const plan = planOf({ agents: [{ command }], tasks: ['a', { id: 'b', dependsOn: ['a'] }] });
      const tools = nodeToolbox();
      const engine = await openEngine(tools, repository.root, plan.settings.lockTimeoutMs);
      const run = await startRun(engine, plan, { frontDoor: 'api' });
      const events: RunEvent[] = [];
      const seen = (type: RunEvent['type']): Promise<void> =>
        new Promise((resolve) => {
          const stop = run.events.on((event) => {
            if (event.type === type) {
              stop();
              resolve();
            }
          });
        });
      run.events.on((event) => events.push(event));
      await seen('process:started');
      const refused = seen('disk:refused');
      const filler = join(disk, 'filler');
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });
      writeFileSync(gate, '');
      await refused;

      const reader = await openRunReader(tools, repository.root, run.id);
      const view = viewOf(plan, (await reader?.events()) ?? []);
      const { status, reason } = statusJson(view, Date.now()).run;
      expect([status, reason]).toEqual(['paused', expect.stringContaining(disk)]);
      expect(reason).toMatch(/is full \(0 MB free\); 16 MB are needed/);
      expect(existsSync(done) ? readFileSync(done, 'utf8') : '').toMatch(/^(a\n)?$/);

      rmSync(filler);
      const result = await run.done;
      expect(result.parallel_execution.status).toBe('completed');
      // Nothing ran twice, and what the agent did while the disk was full counts.
      expect(readFileSync(done, 'utf8')).toBe('a\nb\n');
      const story = ((await reader?.events()) ?? []).map(({ type }) => type);
      expect(story).toContain('disk:refused');
      expect(story.indexOf('disk:recovered')).toBeGreaterThan(story.indexOf('disk:refused'));
      expect(story).not.toContain('attempt:failed');
      expect(await reader?.problems()).toEqual([]);
    },
  );

  onDiskOfItsOwn('ends when it is told to stop, and can be resumed', async () => {
    const command = 'mkdir -p "$PARALLEL_TASK_ID"; echo x > "$PARALLEL_TASK_ID/out"';
    const plan = planOf({ agents: [{ command }], tasks: ['a'] });
    const engine = await openEngine(nodeToolbox(), repository.root, plan.settings.lockTimeoutMs);
    const run = await startRun(engine, plan, { frontDoor: 'api' });
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4096'], { stdio: 'ignore' });
    run.events.on(({ type }) => {
      if (type === 'disk:refused') run.stop('stop');
    });
    await expect(run.done).rejects.toThrow('cannot go on');
    expect(existsSync(join(repository.root, '.worktrees/agent-1'))).toBe(false);
  });

  onDiskOfItsOwn('is not begun, is asked nothing, and both say why and what to do', async () => {
    const plan = planOf({ agents: [{ command: 'true' }], tasks: ['a'] });
    const tools = nodeToolbox();
    const workspace = await openWorkspaceWith(tools, repository.root);
    const run = await createRun(tools.fs, tools.clock, repository.root, plan);
    const owner = tools.processes.self();
    const begun = { ...runStarted(plan), run, owner } as RunEvent;
    const filler = join(disk, 'filler');
    const journal = await openRunJournal(tools, repository.root, run);
    await journal.append([begun]);
    await journal.close();
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' });

    // A few still fit into what the disk has given the journal already.
    const askOften = async (): Promise<void> => {
      for (let times = 0; times < 50; times += 1) await workspace.request({ kind: 'pause' });
    };
    await expect(askOften()).rejects.toMatchObject({
      name: 'UserError',
      kind: 'environment',
      message: expect.stringMatching(
        /^Nothing was asked of the run: the disk refuses \(/,
      ) as unknown,
      fix: expect.stringContaining('ask again') as unknown,
    });
    await expect(workspace.start(plan)).rejects.toMatchObject({
      name: 'UserError',
      kind: 'environment',
      message: expect.stringMatching(/cannot be(gin| used): the disk refuses \(/) as unknown,
    });
    rmSync(filler);
    const { done } = await workspace.start(plan);
    expect((await done).parallel_execution.status).toBe('completed');
  });
});

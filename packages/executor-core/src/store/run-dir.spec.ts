import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeFileTree } from '../adapters/node-file-tree';
import { parseRunId, parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Clock } from '../ports/clock';
import {
  createRun,
  ensureSelfIgnored,
  ensureStateDir,
  joinRun,
  listRuns,
  loadRunPlan,
  makeStateDir,
  parseSegmentName,
  readCurrentRun,
  runPaths,
  segmentName,
  statePaths,
} from './run-dir';

const stoppedAt = (now: number): Clock => ({ now: () => now, after: () => () => undefined });

const plan: Plan = {
  version: 1,
  file: 'parallel.yaml',
  settings: {
    maxAgents: 25,
    worktreeBase: '.worktrees/',
    lockTimeoutMs: 30_000,
    barrierTimeoutMs: 120_000,
    retry: { maxRetries: 3, backoff: 'exponential', baseMs: 1000, maxMs: 60_000 },
    mergeStrategy: 'recursive',
    checkpoint: 'phase',
    failureStrategy: 'continue_on_failure',
    timeoutMs: 3_600_000,
    deadlineMs: null,
    healer: null,
    land: 'target',
    setup: { copy: [], link: [], run: [] },
    verify: [],
    budget: { usd: null, tokens: null },
    conflictPolicy: 'wait',
    limits: { team: {}, taskType: {} },
  },
  agents: [],
  phases: ['phase_1'],
  tasks: [],
};

describe('the state folder', () => {
  const files = nodeFileSystem();
  let root: string;

  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), 'run-dir-'));
  });
  afterEach(() => {
    fs.rmSync(root, { recursive: true, force: true });
  });

  it('lies where the contract says', () => {
    const run = parseRunId('PEXEC-7');
    expect(statePaths('/r')).toEqual({
      stateDir: '/r/.parallel',
      runsDir: '/r/.parallel/runs',
      locksDir: '/r/.parallel/locks',
      outDir: '/r/.parallel/out',
      currentFile: '/r/.parallel/current',
    });
    const paths = runPaths('/r', run);
    expect(paths.journal(1)).toBe('/r/.parallel/runs/PEXEC-7/journal-000001.log');
    expect(paths.planFile).toBe('/r/.parallel/runs/PEXEC-7/plan.json');
    expect(paths.resultFile).toBe('/r/.parallel/runs/PEXEC-7/report/result.json');
    expect(paths.blobsDir).toBe('/r/.parallel/runs/PEXEC-7/blobs');
    const attempt = paths.task(parseTaskId('landing')).attempt(2);
    expect(attempt.transcript).toBe(
      '/r/.parallel/runs/PEXEC-7/tasks/landing/attempt-2/transcript.log',
    );
    expect(new Set(Object.values(attempt)).size).toBe(Object.values(attempt).length);
  });

  it('reads segment numbers back from file names, and nothing else', () => {
    for (const n of [1, 42, 999_999, 1_000_000]) expect(parseSegmentName(segmentName(n))).toBe(n);
    for (const name of [
      'journal-1.log',
      'journal-000001.log.bak',
      'xjournal-000001.log',
      'plan.json',
    ])
      expect(parseSegmentName(name)).toBeNull();
  });

  it('is private and invisible to git', async () => {
    execFileSync('git', ['init', '-q', root]);
    await ensureStateDir(files, root);
    await createRun(files, stoppedAt(1), root, plan);
    expect(fs.statSync(join(root, '.parallel')).mode & 0o777).toBe(0o700);
    const status = execFileSync('git', ['-C', root, 'status', '--porcelain', '-uall']).toString();
    expect(status).toBe('');
  });

  it('leaves an existing ignore file alone', async () => {
    fs.mkdirSync(join(root, 'w'));
    fs.writeFileSync(join(root, 'w', '.gitignore'), 'mine\n');
    await ensureSelfIgnored(files, join(root, 'w'));
    expect(fs.readFileSync(join(root, 'w', '.gitignore'), 'utf8')).toBe('mine\n');
  });

  it('can be made ready by many at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ensureStateDir(files, root)));
    expect(fs.readFileSync(join(root, '.parallel', '.gitignore'), 'utf8')).toBe('*\n');
  });
});

describe('createRun', () => {
  const files = nodeFileSystem();
  let root: string;

  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), 'run-dir-'));
  });
  afterEach(() => {
    fs.rmSync(root, { recursive: true, force: true });
  });

  it('gives a name of its own to each of 20 runs that start in one millisecond', async () => {
    const runs = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        createRun(files, stoppedAt(1234), root, { ...plan, file: `plan-${n}.yaml` }),
      ),
    );
    expect(new Set(runs).size).toBe(20);
    expect(runs).toContain('PEXEC-1234');
    const stored = await Promise.all(runs.map((run) => loadRunPlan(files, root, run)));
    expect(stored.map((each) => each?.file)).toEqual(runs.map((_, n) => `plan-${n}.yaml`));
    expect(runs).toContain(await readCurrentRun(files, root));
  });

  it('stores the plan so that it reads back the same, and makes the run current', async () => {
    const run = await createRun(files, stoppedAt(5), root, plan);
    expect(run).toBe('PEXEC-5');
    expect(await loadRunPlan(files, root, run)).toEqual(plan);
    expect(await readCurrentRun(files, root)).toBe(run);
  });

  it('is made by exactly one of the processes that agreed on its id', async () => {
    const run = parseRunId('PEXEC-77');
    const made = await Promise.all(
      Array.from({ length: 10 }, () => joinRun(files, root, run, plan)),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await loadRunPlan(files, root, run)).toEqual(plan);
    expect(await readCurrentRun(files, root)).toBe(run);
  });

  it('lists runs newest first, by time and then by number', async () => {
    for (const now of [900, 1000, 1000, 99]) await createRun(files, stoppedAt(now), root, plan);
    expect(await listRuns(files, root)).toEqual([
      'PEXEC-1000-1',
      'PEXEC-1000',
      'PEXEC-900',
      'PEXEC-99',
    ]);
  });

  it('does not count a run whose creator died before the plan was there, nor foreign folders', async () => {
    const { runsDir } = statePaths(root);
    await files.makeDir(join(runsDir, 'PEXEC-1'));
    await files.makeDir(join(runsDir, 'notes'));
    expect(await listRuns(files, root)).toEqual([]);
    expect(await loadRunPlan(files, root, parseRunId('PEXEC-1'))).toBeNull();
    expect(await createRun(files, stoppedAt(1), root, plan)).toBe('PEXEC-1');
  });

  it('knows no current run before the first, after its removal, or when the file is damaged', async () => {
    expect(await readCurrentRun(files, root)).toBeNull();
    expect(await listRuns(files, root)).toEqual([]);
    const run = await createRun(files, stoppedAt(1), root, plan);
    await files.removeTree(runPaths(root, run).dir);
    expect(await readCurrentRun(files, root)).toBeNull();
    await files.writeAtomic(statePaths(root).currentFile, '../../etc');
    expect(await readCurrentRun(files, root)).toBeNull();
  });

  it.each(['{"version":1,"tas', '{"version":2,"tasks":[]}', 'null', '{"version":1}'])(
    'says what to do about a stored plan that reads %s',
    async (text) => {
      const run = await createRun(files, stoppedAt(1), root, plan);
      await files.writeAtomic(runPaths(root, run).planFile, text);
      await expect(loadRunPlan(files, root, run)).rejects.toBeInstanceOf(UserError);
      await expect(loadRunPlan(files, root, run)).rejects.toThrow('damaged or of a later version');
    },
  );
});

describe('makeStateDir', () => {
  it('takes away links that lead elsewhere, at any depth, and leaves what is there', async () => {
    const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'state-')));
    try {
      const outside = join(root, 'outside');
      const tasks = join(root, '.parallel', 'runs', 'r', 'tasks');
      fs.mkdirSync(tasks, { recursive: true });
      fs.mkdirSync(outside);
      fs.symlinkSync(outside, join(tasks, 't'));
      const tools = { fs: nodeFileSystem(), files: nodeFileTree() };
      const dir = join(tasks, 't', 'attempt-1');
      await makeStateDir(tools, root, dir);
      expect(fs.realpathSync(dir)).toBe(dir);
      expect(fs.readdirSync(outside)).toEqual([]);
      fs.writeFileSync(join(dir, 'kept'), '');
      await makeStateDir(tools, root, dir);
      expect(fs.readdirSync(dir)).toEqual(['kept']);
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeProcessRunner } from '../adapters/node-process-runner';
import { nodeProcesses } from '../adapters/node-processes';
import type { CheckRequest } from './run-checks';
import { runChecks } from './run-checks';

describe('runChecks', () => {
  const fs = nodeFileSystem();
  const processes = nodeProcesses();
  let dir: string;
  let logPath: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'checks-'));
    logPath = join(dir, 'check.log');
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const request = (
    commands: readonly string[],
    more: Partial<CheckRequest> = {},
  ): CheckRequest => ({
    runner: nodeProcessRunner(processes),
    clock: nodeClock(),
    fs,
    commands,
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '', GREETING: 'hello' },
    logPath,
    timeoutMs: 60_000,
    where: 'worktree',
    graceMs: 100,
    ...more,
  });
  /** Resolves when the check has announced itself by a file: its traps are set. */
  const appears = (name: string): Promise<void> =>
    new Promise((resolve) => {
      const stop = fs.watch(dir, () => void look());
      const look = async (): Promise<void> => {
        if (!(await fs.exists(join(dir, name)))) return;
        stop();
        resolve();
      };
      void look();
    });

  it('is content when there is nothing to check or every command exits 0', async () => {
    expect(await runChecks(request([]))).toBeNull();
    expect(await runChecks(request(['true', 'test "$GREETING" = hello']))).toBeNull();
  });

  it('runs the commands in the given folder, one after the other, and stops at the first red one', async () => {
    const failure = await runChecks(
      request(['echo one >> order', 'echo two >> order; exit 3', 'echo three >> order']),
    );
    expect(failure).toEqual({
      kind: 'verify-failed',
      where: 'worktree',
      command: 'echo two >> order; exit 3',
      code: 3,
      tail: '',
    });
    expect(await readFile(join(dir, 'order'), 'utf8')).toBe('one\ntwo\n');
  });

  it('appends every command and its output to the log, and tells the tail of the red one only', async () => {
    await writeFile(logPath, 'before\n');
    const failure = await runChecks(
      request(['echo fine', 'echo out; echo err >&2; exit 1'], { where: 'merged' }),
    );
    expect(failure).toMatchObject({ kind: 'verify-failed', where: 'merged', tail: 'out\nerr\n' });
    expect(await readFile(logPath, 'utf8')).toBe(
      'before\n$ echo fine\nfine\n$ echo out; echo err >&2; exit 1\nout\nerr\n',
    );
  });

  it('keeps the last 4,000 characters of a long output', async () => {
    const failure = await runChecks(request(['seq 1 5000; exit 1']));
    const tail = failure?.kind === 'verify-failed' ? failure.tail : '';
    expect(tail).toHaveLength(4000);
    expect(tail.endsWith('4999\n5000\n')).toBe(true);
  });

  it('tells a command ended by a signal by a code of null', async () => {
    expect(await runChecks(request(['kill -9 $$']))).toMatchObject({
      kind: 'verify-failed',
      code: null,
    });
  });

  it('turns a check that cannot be started into a failure that says why', async () => {
    const failure = await runChecks(request(['true'], { cwd: join(dir, 'gone') }));
    expect(failure).toMatchObject({ kind: 'verify-failed', code: null });
    expect(failure?.kind === 'verify-failed' && failure.tail).toContain('gone');
  });

  it('ends a check that takes too long, even one that ignores SIGTERM, and its children', async () => {
    const stubborn = "trap '' TERM; echo begun; sleep 300 & echo $! > child; wait; wait";
    const failure = await runChecks(request([stubborn], { timeoutMs: 300 }));
    expect(failure).toEqual({ kind: 'timeout', afterMs: 300, tail: 'begun\n' });
    const child = Number(await readFile(join(dir, 'child'), 'utf8'));
    expect(processes.identify(child)).toBeNull();
  });

  it('counts one time limit over all commands', async () => {
    let now = 0;
    const clock = { ...nodeClock(), now: () => (now += 600) };
    const failure = await runChecks(request(['true', 'sleep 300'], { clock, timeoutMs: 1000 }));
    expect(failure?.kind).toBe('timeout');
  });

  it('stops at once when asked, and calls that no verdict', async () => {
    const abort = new AbortController();
    const checks = runChecks(request(['touch begun; sleep 300', 'true'], { signal: abort.signal }));
    await appears('begun');
    abort.abort();
    expect((await checks)?.kind).toBe('interrupted');
  });

  it('starts nothing when it was stopped before', async () => {
    const failure = await runChecks(request(['touch begun'], { signal: AbortSignal.abort() }));
    expect(failure?.kind).toBe('interrupted');
    expect(await fs.exists(join(dir, 'begun'))).toBe(false);
  });
});

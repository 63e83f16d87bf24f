import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { nodeProcesses } from '../adapters/node-processes';
import { nodeProcessTrees } from '../adapters/node-process-trees';
import { parseRunId } from '../model/ids';
import type { MergeRig } from '../testing/merge-rig';
import { INTEGRATION, makeMergeRig } from '../testing/merge-rig';
import { holdCheckout } from './checkout-hold';
import type { PublishResult } from './publish-target';
import { publishTarget } from './publish-target';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

const MAIN = 'refs/heads/main';
const RUN = parseRunId('PEXEC-1');
const trees = nodeProcessTrees(nodeProcesses().self());

describe('a move of the checkout that was killed', () => {
  let rig: MergeRig;
  let from: string;
  let to: string;
  let pauses: number;

  beforeEach(async () => {
    pauses = 0;
    rig = await makeMergeRig({
      'a.txt': 'a\n',
      'b.txt': 'b\n',
      'gone.txt': 'x\n',
      'mine.txt': '1\n',
    });
    from = await rig.tip();
    const edits = {
      'a.txt': 'landed\n',
      'b.txt': 'landed\n',
      'new.txt': 'new\n',
      'gone.txt': null,
    };
    to = (await rig.candidate('task', edits)).candidate.commit;
    await rig.repo.git(['update-ref', INTEGRATION, to]);
  });
  afterEach(() => rig.cleanup());

  const git = (...args: string[]): Promise<string> => rig.repo.git(args);
  const inGit = (name: string): string => join(rig.root, '.git', name);
  const pause = (): Promise<void> => {
    pauses += 1;
    return Promise.resolve();
  };
  const request = () => ({
    ...{ git: rig.git, fs: rig.fs, root: rig.root, run: RUN, trees },
    ...{ target: MAIN, commit: to },
  });
  const publish = (): Promise<PublishResult> => publishTarget({ ...request(), pause });
  /** As far as our process got before it was killed. */
  const begin = async (): Promise<void> => {
    const move = { run: RUN, worktree: rig.root, gitDir: inGit(''), target: MAIN, from, to };
    const hold = await holdCheckout(rig, move);
    if (hold === null) throw new Error('The checkout is held.');
  };
  const leftovers = async (): Promise<readonly string[]> => {
    const names = [...(await fs.readdir(inGit(''))), ...(await fs.readdir(inGit('parallel')))];
    return names.filter((name) => /\.lock$|parallel-index|move\.json/.test(name));
  };
  const status = (): Promise<string> => git('status', '--porcelain');

  const states: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['before any file', () => Promise.resolve()],
    ['with half a file', () => rig.repo.write({ 'a.txt': 'lan' })],
    ['with a file that was removed to be written anew', () => fs.rm(join(rig.root, 'b.txt'))],
    ['with an empty new file', () => rig.repo.write({ 'a.txt': 'landed\n', 'new.txt': '' })],
    [
      'with all files, the index being written',
      async () => {
        await rig.repo.write({ 'a.txt': 'landed\n', 'b.txt': 'landed\n', 'new.txt': 'new\n' });
        await fs.rm(join(rig.root, 'gone.txt'));
        await fs.writeFile(inGit('parallel-index.lock'), 'DIRC');
        await fs.writeFile(inGit('refs/heads/main.lock'), '');
      },
    ],
  ];

  it.each(states)('%s is made again to the end', async (_, kill) => {
    await rig.repo.write({ 'mine.txt': 'my own edit\n' });
    await begin();
    await kill();
    expect(await publish()).toEqual({ kind: 'advanced', commit: to });
    expect(await git('rev-parse', 'main')).toBe(to);
    expect(await status()).toBe(' M mine.txt');
    expect(await leftovers()).toEqual([]);
  });

  it('after the branch moved is ended: the checkout is clean and free', async () => {
    await begin();
    await states[4]?.[1]();
    await fs.rm(inGit('refs/heads/main.lock'));
    await git('update-ref', MAIN, to);
    expect(await publish()).toEqual({ kind: 'advanced', commit: to });
    expect([await status(), await leftovers(), pauses]).toEqual(['', [], 0]);
  });

  it('whose git is still at it: that is ended first', async () => {
    await begin();
    const env = { ...process.env, PARALLEL_RUN_ID: RUN, PARALLEL_TASK_ID: '_publish' };
    const orphan = spawn('sleep', ['60'], { env, stdio: 'ignore' });
    const ended = once(orphan, 'exit');
    await once(orphan, 'spawn');
    expect((await publish()).kind).toBe('advanced');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(pauses).toBe(1);
  });

  it('while we live is mended at once', async () => {
    let killed = 0;
    const run: typeof rig.git.run = async (args, options) => {
      const result = await rig.git.run(args, options);
      if (!args.includes('merge') || killed > 0) return result;
      killed += 1;
      return { ...result, exitCode: -1 };
    };
    const dying = { ...rig.git, run };
    expect(await publishTarget({ ...request(), git: dying, pause })).toEqual({
      kind: 'advanced',
      commit: to,
    });
    expect([killed, await status(), await leftovers()]).toEqual([1, '', []]);
  });

  it('leaves what the user did since, and is held by it', async () => {
    await begin();
    await rig.repo.write({ 'a.txt': 'landed\n', 'b.txt': 'my own edit\n' });
    expect(await publish()).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('b.txt') as unknown,
    });
    expect(await fs.readFile(join(rig.root, 'b.txt'), 'utf8')).toBe('my own edit\n');
    expect([await git('rev-parse', 'main'), await leftovers()]).toEqual([from, []]);
  });

  it('leaves what the user had staged', async () => {
    await rig.repo.write({ 'a.txt': 'staged\n' });
    await git('add', 'a.txt');
    await begin();
    expect((await publish()).kind).toBe('held');
    expect(await status()).toBe('M  a.txt');
  });

  it('leaves the lock of a git that is not ours, and says so', async () => {
    await fs.writeFile(inGit('index.lock'), '');
    expect(await publish()).toMatchObject({
      kind: 'held',
      reason: expect.stringContaining('another git works in') as unknown,
    });
    expect(await leftovers()).toEqual(['index.lock']);
    await fs.rm(inGit('index.lock'));
    await begin();
    // Ours is gone, and this is somebody else's.
    await fs.rm(inGit('index.lock'));
    await fs.writeFile(inGit('index.lock'), '');
    expect((await publish()).kind).toBe('held');
    expect(await fs.readFile(inGit('index.lock'), 'utf8')).toBe('');
  });

  it('leaves the lock of a ref that changes while it looks', async () => {
    await begin();
    await fs.writeFile(inGit('refs/heads/main.lock'), '');
    const write = () => fs.writeFile(inGit('refs/heads/main.lock'), 'somebody else');
    expect((await publishTarget({ ...request(), pause: write })).kind).toBe('held');
    expect(await fs.readFile(inGit('refs/heads/main.lock'), 'utf8')).toBe('somebody else');
  });
});

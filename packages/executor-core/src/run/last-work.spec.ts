import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitAdapter } from '../adapters/simple-git';
import { NO_COST } from '../model/cost';
import type { Failure } from '../model/failure';
import type { ResumeMode } from '../model/task';
import type { AttemptStory } from '../report/attempt-story';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { parseTaskId } from '../model/ids';
import { chooseWork, interruptedAttempt, openConflictOf, restoreWork } from './last-work';

jest.setTimeout(30_000);

const CUT: Failure = { kind: 'interrupted', message: 'the process that ran it was gone' };
const BUSY: Failure = { kind: 'try-later', tail: '' };
const RED: Failure = {
  kind: 'verify-failed',
  where: 'worktree',
  command: 'npm test',
  code: 1,
  tail: '',
};

function stories(...given: readonly (readonly [Failure, string | null])[]): AttemptStory[] {
  return given.map(([failure, salvage], index) => {
    return { attempt: index + 1, failure, salvage, base: null, healing: null, cost: NO_COST };
  });
}

describe('the interrupted attempt to go on from', () => {
  const chosen = (...given: readonly (readonly [Failure, string | null])[]): number | null =>
    interruptedAttempt(stories(...given))?.attempt ?? null;

  it('is the last one, when it was interrupted and left work', () => {
    expect(chosen([CUT, 'refs/x'])).toBe(1);
    expect(chosen([RED, 'refs/x'], [CUT, 'refs/y'])).toBe(2);
    expect(chosen([CUT, null])).toBeNull();
    expect(chosen()).toBeNull();
  });

  it('is an earlier one while nothing was said about its work since', () => {
    expect(chosen([CUT, 'refs/x'], [CUT, null])).toBe(1);
    expect(chosen([CUT, 'refs/x'], [BUSY, null])).toBe(1);
    expect(chosen([CUT, 'refs/x'], [BUSY, 'refs/y'])).toBe(2);
  });

  it('is none when a failure since has judged the work, or nothing was interrupted', () => {
    expect(chosen([CUT, 'refs/x'], [RED, 'refs/y'])).toBeNull();
    expect(chosen([BUSY, 'refs/x'])).toBeNull();
    expect(chosen([RED, 'refs/x'], [CUT, null])).toBeNull();
  });
});

describe('the conflict for a resolver', () => {
  const CLASH: Failure = { kind: 'conflict', paths: ['a.txt'], onto: 'x' };
  const answered = (outcome: 'failed' | null): Partial<AttemptStory> => ({
    healing: { healer: 'judge', role: 'resolver', outcome, note: '' },
  });
  const open = (
    given: readonly (readonly [Failure, string | null])[],
    last: Partial<AttemptStory> = {},
  ): number | null => {
    const all = stories(...given);
    const told = all.map((story, at) => (at === all.length - 1 ? { ...story, ...last } : story));
    return openConflictOf(told)?.attempt ?? null;
  };

  it('is that of the last candidate, where it is kept', () => {
    expect(open([[CLASH, 'refs/x']])).toBe(1);
    expect(open([[CLASH, null]])).toBeNull();
    expect(
      open([
        [CLASH, 'refs/x'],
        [CLASH, 'refs/y'],
      ]),
    ).toBe(2);
    expect(
      open([
        [CLASH, 'refs/x'],
        [RED, 'refs/y'],
      ]),
    ).toBeNull();
    expect(open([])).toBeNull();
  });

  it('stays open while its resolver was cut off, and no longer', () => {
    const cut = [
      [CLASH, 'refs/x'],
      [CUT, 'refs/y'],
    ] as const;
    expect(open(cut)).toBe(1);
    expect(open(cut, answered(null))).toBe(1);
    expect(open(cut, answered('failed'))).toBeNull();
  });
});

describe('interrupted work', () => {
  const REF = 'refs/parallel/PEXEC-1/a/salvage-1';
  const git = gitAdapter();
  let rig: WorktreeRig;
  let base: string;
  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'a.txt': '1\n2\n3\n4\n5\n', 'gone.txt': 'gone\n' });
    base = rig.head;
  });
  afterEach(async () => {
    await rig.pool.close();
    await rig.cleanup();
  });

  /** A commit on `main` as it was first, kept under the ref; `main` stays. */
  const salvage = async (change: () => Promise<void>): Promise<string> => {
    await change();
    await rig.git(['add', '--all']);
    const tree = await rig.git(['write-tree']);
    const commit = await rig.git(['commit-tree', '-p', rig.head, '-m', 'work', tree]);
    await rig.git(['update-ref', REF, commit]);
    await rig.git(['reset', '--hard', '--quiet']);
    return commit;
  };
  const choose = (resume: ResumeMode, given = stories([CUT, REF])) =>
    chooseWork({ git, root: rig.root, healer: null, resolver: null }, base, given, resume);
  /** A fresh worktree with what was chosen. */
  const filled = async (resume: ResumeMode): Promise<string> => {
    const request = { slot: 1, task: parseTaskId('a'), commit: base, token: 1 };
    const { path } = await rig.pool.create(request);
    await restoreWork(git, path, await choose(resume));
    return path;
  };
  const write = (name: string, text: string) => writeFile(join(rig.root, name), text);
  const edited = () =>
    salvage(async () => {
      await write('a.txt', '1\n2\n3\n4\nfive\n');
      await write('new.txt', 'new\n');
      await rig.git(['rm', '--quiet', 'gone.txt']);
    });

  it.each(['wip', 'session'] as const)(
    'is staged in the worktree, with resume: %s',
    async (how) => {
      const commit = await edited();
      expect((await choose(how)).start).toEqual({ kind: 'resumed', attempt: 1, ref: REF, commit });
      const path = await filled(how);
      expect(await rig.git(['status', '--porcelain'], path)).toBe(
        'M  a.txt\nD  gone.txt\nA  new.txt',
      );
      expect(await rig.git(['rev-parse', 'HEAD'], path)).toBe(base);
    },
  );

  it('stays out of it with resume: fresh', async () => {
    await edited();
    expect((await choose('fresh')).start).toEqual({ kind: 'fresh' });
    expect(await rig.git(['status', '--porcelain'], await filled('fresh'))).toBe('');
  });

  it('is merged with what has landed meanwhile', async () => {
    await edited();
    base = await rig.commit({ 'a.txt': 'one\n2\n3\n4\n5\n' }, 'landed');
    const path = await filled('wip');
    expect(await rig.git(['show', ':a.txt'], path)).toBe('one\n2\n3\n4\nfive');
    expect(await rig.git(['rev-parse', 'HEAD'], path)).toBe(base);
  });

  it('in conflict with what has landed is left where it is, and the paths are named', async () => {
    await edited();
    base = await rig.commit({ 'a.txt': '1\n2\n3\n4\nFIVE\n' }, 'landed');
    const { start, tree } = await choose('wip');
    expect(start).toEqual({
      kind: 'outdated',
      mended: false,
      attempt: 1,
      ref: REF,
      paths: ['a.txt'],
    });
    expect(tree).toBeNull();
    expect(await rig.git(['rev-parse', '--verify', REF])).not.toBe('');
  });

  it('that git cannot merge does not keep the attempt from starting', async () => {
    await rig.git(['checkout', '--quiet', '--orphan', 'other']);
    await rig.git(['commit', '--quiet', '-m', 'another history']);
    await rig.git(['update-ref', REF, 'HEAD']);
    await rig.git(['checkout', '--quiet', 'main']);
    const { start, tree } = await choose('wip');
    expect(start).toMatchObject({ kind: 'outdated', mended: false, paths: [] });
    expect(tree).toBeNull();
  });

  it('whose ref is gone is no reason to wait', async () => {
    expect((await choose('wip')).start).toEqual({ kind: 'fresh' });
  });
});

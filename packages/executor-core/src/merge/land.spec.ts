import * as nodeFs from 'node:fs/promises';
import { join } from 'node:path';
import { parseRunId, parseTaskId } from '../model/ids';
import type { MergeRig } from '../testing/merge-rig';
import { INTEGRATION, makeMergeRig } from '../testing/merge-rig';
import { advanceIntegration, keepCommit, keepUnless, readRef, TakenOver } from './land';
import { landedCandidates } from './landed';
import { commitMessage } from './trailers';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

describe('advanceIntegration', () => {
  let rig: MergeRig;
  let first: string;
  let second: string;

  beforeEach(async () => {
    rig = await makeMergeRig();
    first = await rig.tip();
    second = await rig.repo.commit({ 'a.txt': 'a\n' }, 'second');
  });
  afterEach(() => rig.cleanup());

  const advance = (from: string | null, to: string, ref = INTEGRATION, guard = {}) =>
    advanceIntegration({ git: rig.git, root: rig.root, ref, from, to, ...guard });

  it('moves the ref when it is where it should be', async () => {
    expect(await advance(first, second)).toBe('moved');
    expect(await rig.tip()).toBe(second);
  });

  it('changes nothing when the ref is somewhere else, and works again from there', async () => {
    await advance(first, second);
    const third = await rig.repo.commit({ 'b.txt': 'b\n' }, 'third');
    expect(await advance(first, third)).toBe('stale');
    expect(await rig.tip()).toBe(second);
    expect(await advance(second, third)).toBe('moved');
  });

  it('creates a ref only where there is none', async () => {
    const ref = 'refs/heads/parallel/PEXEC-2';
    expect(await advance(null, first, ref)).toBe('moved');
    expect(await advance(null, second, ref)).toBe('stale');
    expect(await advance(first, second, 'refs/heads/missing')).toBe('stale');
    expect(await readRef(rig.git, rig.root, ref)).toBe(first);
  });

  it('lets exactly one of many win', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, async (_, n) => {
        const to = await rig.repo.git([
          'commit-tree',
          `${second}^{tree}`,
          '-p',
          first,
          '-m',
          `${n}`,
        ]);
        return advance(first, to);
      }),
    );
    const outcomes = results.map((result) =>
      result.status === 'fulfilled' ? result.value : 'error',
    );
    expect(outcomes.filter((outcome) => outcome === 'moved')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'stale')).toHaveLength(7);
  });

  it('moves only while its guard holds', async () => {
    const ref = 'refs/parallel/fence/checkout';
    await rig.repo.git(['update-ref', ref, second]);
    const passed = advance(first, second, INTEGRATION, { guard: { ref, id: first } });
    await expect(passed).rejects.toThrow(TakenOver);
    expect(await rig.tip()).toBe(first);
    await rig.repo.git(['update-ref', '-d', ref]);
    const gone = advance(first, second, INTEGRATION, { guard: { ref, id: second } });
    await expect(gone).rejects.toThrow(TakenOver);
    await rig.repo.git(['update-ref', ref, second]);
    expect(await advance(first, second, INTEGRATION, { guard: { ref, id: second } })).toBe('moved');
  });

  it('throws when the reason is another one', async () => {
    await expect(advance(first, '1'.repeat(40))).rejects.toThrow('update-ref');
  });

  it('leaves a line in the reflog', async () => {
    await advance(first, second);
    expect(await rig.repo.git(['reflog', '-1', '--format=%gs', INTEGRATION])).toBe(
      'parallel: land',
    );
  });
});

describe('keepCommit', () => {
  let rig: MergeRig;
  beforeEach(async () => {
    rig = await makeMergeRig();
  });
  afterEach(() => rig.cleanup());

  const place = { run: parseRunId('PEXEC-1'), task: parseTaskId('task'), fence: 4 };
  const keep = (commit: string, fence = 4): Promise<string> =>
    keepCommit(rig.git, rig.root, { ...place, fence, commit });

  it('never moves a ref: another commit of the same fence gets a name of its own', async () => {
    const first = await rig.tip();
    const second = await rig.repo.commit({ 'a.txt': 'a\n' }, 'second');
    const ref = 'refs/parallel/PEXEC-1/task/4';
    expect([await keep(first), await keep(second), await keep(first), await keep(second)]).toEqual([
      ref,
      `${ref}-2`,
      ref,
      `${ref}-2`,
    ]);
    expect(await readRef(rig.git, rig.root, ref)).toBe(first);
  });

  it('makes nothing new where a kept commit serves, and looks at the neighbours of no other fence', async () => {
    const commit = await rig.repo.commit({ 'a.txt': 'a\n' }, 'second');
    await keep(commit, 40);
    const make = jest.fn(() => Promise.resolve(commit));
    const serves = (held: string): Promise<boolean> => Promise.resolve(held === commit);
    const kept = { ref: 'refs/parallel/PEXEC-1/task/4', commit };
    expect(await keepUnless(rig.git, rig.root, place, serves, make)).toEqual(kept);
    expect(await keepUnless(rig.git, rig.root, place, serves, make)).toEqual(kept);
    expect(make).toHaveBeenCalledTimes(1);
  });

  it('throws for what is no commit', async () => {
    await expect(keep('1'.repeat(40))).rejects.toThrow('update-ref');
  });
});

describe('landedCandidates', () => {
  let rig: MergeRig;
  beforeEach(async () => {
    rig = await makeMergeRig();
  });
  afterEach(() => rig.cleanup());

  const note = (candidate: string): string =>
    commitMessage({ run: 'PEXEC-1', task: 't', agent: null, attempt: 1, prompt: null, candidate });
  const landed = async (ref: string, since?: string): Promise<unknown> =>
    [...(await landedCandidates(rig.git, rig.root, ref, since))].sort();

  it('reads the trailers on the first-parent chain and no others', async () => {
    const base = await rig.tip();
    const one = await rig.repo.commit({ 'a.txt': '1\n' }, note('one'));
    await rig.repo.git(['checkout', '--quiet', '-b', 'side', base]);
    await rig.repo.commit({ 'b.txt': '1\n' }, note('side'));
    await rig.repo.git(['checkout', '--quiet', 'main']);
    await rig.repo.git(['merge', '--quiet', '--no-ff', '-m', 'Merge side', 'side']);
    await rig.repo.commit(
      { 'c.txt': '1\n' },
      'talks about\n\nParallel-Candidate: prose\nin its text',
    );
    const two = await rig.repo.commit({ 'd.txt': '1\n' }, note('two'));
    expect(await landed('main')).toEqual([
      ['one', one],
      ['two', two],
    ]);
    expect(await landed('main', one)).toEqual([['two', two]]);
    expect(await landed('main', two)).toEqual([]);
  });

  it('looks everywhere when the commit to start from is not in the history', async () => {
    const start = await rig.tip();
    const elsewhere = await rig.repo.commit({ 'x.txt': 'x\n' }, 'elsewhere');
    await rig.repo.git(['reset', '--quiet', '--hard', start]);
    const one = await rig.repo.commit({ 'a.txt': '1\n' }, note('one'));
    expect(await landed('main', elsewhere)).toEqual([['one', one]]);
    expect(await landed('main', '1'.repeat(40))).toEqual([['one', one]]);
  });

  it('is not led astray by log settings or an undone commit', async () => {
    const one = await rig.repo.commit({ 'a.txt': '1\n' }, note('one'));
    await rig.repo.git(['revert', '--no-edit', 'HEAD']);
    for (const [name, value] of [
      ['log.showSignature', 'true'],
      ['color.ui', 'always'],
      ['format.pretty', 'oneline'],
      ['grep.patternType', 'fixed'],
      ['log.decorate', 'full'],
      ['log.diffMerges', 'on'],
    ] as const) {
      await rig.repo.git(['config', name, value]);
    }
    await nodeFs.appendFile(join(rig.root, '.git/config'), '');
    expect(await landed('main')).toEqual([['one', one]]);
  });
});

import { parseRunId } from '../model/ids';
import { INTEGRATION, makeMergeRig, type MergeRig } from '../testing/merge-rig';
import { absorbTarget } from './absorb-target';
import { PLAIN_COMMITS } from './commit';
import { landedCandidates } from './landed';
import { drainQueue } from './merge-queue';
import { squashOnto, startOfRun, type SquashResult } from './squash';
import { parseTrailers, trailerValues } from './trailers';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

describe('squashOnto', () => {
  const run = parseRunId('PEXEC-1');
  let rig: MergeRig;

  beforeEach(async () => {
    rig = await makeMergeRig({ 'a.txt': 'a\n' });
  });
  afterEach(() => rig.cleanup());

  const git = (...args: string[]): Promise<string> => rig.repo.git(args);
  const land = async (task: string): Promise<string> => {
    const item = await rig.candidate(task, { [`${task}.txt`]: `${task}\n` });
    const nothing = (): Promise<void> => Promise.resolve();
    await drainQueue(rig.git, {
      root: rig.root,
      ref: INTEGRATION,
      queue: [item],
      verify: null,
      checkFences: () => Promise.resolve(() => true),
      conflictPolicy: 'wait',
      onMerging: nothing,
      onLanded: nothing,
      onRejected: nothing,
    });
    return item.candidate.commit;
  };
  const squash = async (): Promise<SquashResult> =>
    squashOnto({
      git: rig.git,
      root: rig.root,
      run,
      ref: INTEGRATION,
      target: await git('rev-parse', 'main'),
      commit: PLAIN_COMMITS,
    });
  const squashed = async (): Promise<string> => {
    const result = await squash();
    if (result.kind !== 'squashed') throw new Error(result.kind);
    return result.commit;
  };
  /** What publishing does. */
  const publish = async (): Promise<string> => {
    const commit = await squashed();
    await git('merge', '--quiet', '--ff-only', commit);
    return commit;
  };
  const tree = (commit: string): Promise<string> => git('rev-parse', `${commit}^{tree}`);
  const message = (commit: string): Promise<string> => git('show', '-s', '--format=%B', commit);

  it('makes one commit of all that landed, on top of the target, with the tree of the tip', async () => {
    const before = await git('rev-parse', 'main');
    const candidates = [await land('x'), await land('y')];
    const tip = await rig.tip();
    const commit = await publish();
    expect(await git('log', '--format=%H', `${before}..main`)).toBe(commit);
    expect(await tree(commit)).toBe(await tree(tip));
    const text = await message(commit);
    expect(text).toContain('- x: Do x');
    expect(parseTrailers(text).get('Parallel-Integration')).toBe(tip);
    expect(trailerValues(text, 'Parallel-Task')).toEqual(['x', 'y']);
    const landed = await landedCandidates(rig.git, rig.root, 'main');
    expect([...landed]).toEqual(candidates.map((id) => [id, commit]));
  });

  it('keeps the commits of the tasks on the integration branch, where landing is read from', async () => {
    const candidates = [await land('x'), await land('y')];
    await publish();
    const landed = await landedCandidates(rig.git, rig.root, INTEGRATION);
    expect(new Set(landed.keys())).toEqual(new Set(candidates));
    expect(new Set(landed.values()).size).toBe(2);
  });

  it('publishes nothing twice', async () => {
    await land('x');
    const commit = await publish();
    const tip = await rig.tip();
    expect(await squashed()).toBe(commit);
    expect(await rig.tip()).toBe(tip);
    expect(await git('rev-list', '--count', 'main')).toBe('2');
  });

  it('gives a run that was killed before it published what it had recorded', async () => {
    await land('x');
    const recorded = await squashed();
    const tip = await rig.tip();
    expect(await squashed()).toBe(recorded);
    expect(await rig.tip()).toBe(tip);
  });

  it('has what landed since in the next commit, and not what was published', async () => {
    await land('x');
    const first = await publish();
    await land('z');
    const second = await publish();
    expect(await git('rev-parse', `${second}^`)).toBe(first);
    expect(trailerValues(await message(second), 'Parallel-Task')).toEqual(['z']);
    expect(await git('ls-files')).toBe('a.txt\nx.txt\nz.txt');
  });

  it('asks for what was committed on the target meanwhile, then squashes on top of that', async () => {
    await land('x');
    await publish();
    const own = await rig.repo.commit({ 'own.txt': 'mine\n' }, 'mine');
    await land('z');
    expect(await squash()).toEqual({ kind: 'diverged', tip: own });
    const request = { git: rig.git, root: rig.root, ref: INTEGRATION, verify: null };
    expect((await absorbTarget({ ...request, tip: own })).kind).toBe('absorbed');
    const commit = await publish();
    expect(await git('rev-parse', `${commit}^`)).toBe(own);
    expect(trailerValues(await message(commit), 'Parallel-Task')).toEqual(['z']);
    expect(await git('ls-files')).toBe('a.txt\nown.txt\nx.txt\nz.txt');
  });

  it('lists what was recorded but never published again, when the target went on without it', async () => {
    await land('x');
    await squashed();
    const own = await rig.repo.commit({ 'own.txt': 'mine\n' }, 'mine');
    const request = { git: rig.git, root: rig.root, ref: INTEGRATION, verify: null };
    await absorbTarget({ ...request, tip: own });
    const commit = await publish();
    expect(await git('rev-parse', `${commit}^`)).toBe(own);
    expect(trailerValues(await message(commit), 'Parallel-Task')).toEqual(['x']);
  });

  it('leaves the target alone when nothing has landed', async () => {
    expect(await squashed()).toBe(await git('rev-parse', 'main'));
    expect(await rig.tip()).toBe(await git('rev-parse', 'main'));
  });

  it('finds where the run began, also behind what it recorded', async () => {
    const start = await git('rev-parse', 'main');
    await land('x');
    await squashed();
    expect(await startOfRun(rig.git, rig.root, run, await rig.tip())).toBe(start);
  });
});

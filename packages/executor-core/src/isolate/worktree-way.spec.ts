import { chooseWay } from './worktree-way';

const NOTHING = { copy: [], link: [], run: [] };
const task = (
  reads: readonly string[],
  writes: readonly string[],
  verify: readonly string[] = [],
) => ({
  access: { reads, writes },
  writesDeclared: true,
  verify,
});
const declared = task(['libs/schema/**'], ['apps/api/**']);
const LARGE = { files: 27_000, canOverlay: false, fullFits: true };

describe('chooseWay', () => {
  it('writes no small repository in full that the disk cannot take that often', () => {
    const facts = { files: 10, canOverlay: false, fullFits: false };
    expect(chooseWay(declared, { setup: NOTHING }, facts).kind).toBe('sparse');
    expect(chooseWay(declared, { setup: NOTHING }, { ...facts, canOverlay: true }).kind).toBe(
      'overlay',
    );
    expect(chooseWay(declared, { setup: NOTHING, worktrees: 'full' }, facts).kind).toBe('full');
  });

  it('writes small repositories in full', () => {
    const facts = { files: 5000, canOverlay: true, fullFits: true };
    expect(chooseWay(declared, { setup: NOTHING }, facts)).toEqual({ kind: 'full' });
  });

  it('takes an overlay in a large one where it can be had', () => {
    const facts = { files: 5001, canOverlay: true, fullFits: true };
    expect(chooseWay(declared, { setup: NOTHING }, facts)).toEqual({ kind: 'overlay' });
  });

  it('else makes a sparse one of what the task reads and writes', () => {
    expect(chooseWay(declared, { setup: NOTHING }, LARGE)).toEqual({
      kind: 'sparse',
      cone: ['apps/api', 'libs/schema'],
    });
  });

  it('is sparse by itself only where no command could miss a file', () => {
    const checked = task(['libs/**'], ['apps/**'], ['npm test']);
    expect(chooseWay(checked, { setup: NOTHING }, LARGE).kind).toBe('full');
    const run = { setup: { ...NOTHING, run: ['npm ci'] } };
    expect(chooseWay(declared, run, LARGE).kind).toBe('full');
    const told = { setup: { ...NOTHING, run: ['npm ci'], sparse: ['tools'] } };
    expect(chooseWay(checked, told, LARGE)).toEqual({
      kind: 'sparse',
      cone: ['apps', 'libs', 'tools'],
    });
  });

  it('is never sparse for a task that does not say what it reads and writes', () => {
    const settings = { setup: NOTHING, worktrees: 'sparse' } as const;
    expect(chooseWay({ ...declared, writesDeclared: false }, settings, LARGE).kind).toBe('full');
    expect(chooseWay(task([], ['apps/**']), settings, LARGE).kind).toBe('full');
    expect(chooseWay(task(['**/*.md'], ['apps/**']), settings, LARGE).kind).toBe('full');
    const facts = { ...LARGE, canOverlay: true, fullFits: true };
    expect(chooseWay(task([], ['apps/**']), settings, facts).kind).toBe('overlay');
    expect(chooseWay(task(['a\nb/**'], ['apps/**']), settings, LARGE).kind).toBe('full');
  });

  it('does as the plan says whatever the size', () => {
    const facts = { files: 3, canOverlay: true, fullFits: true };
    const way = (worktrees: 'sparse' | 'overlay' | 'full') =>
      chooseWay(declared, { setup: NOTHING, worktrees }, facts).kind;
    expect([way('sparse'), way('overlay'), way('full')]).toEqual(['sparse', 'overlay', 'full']);
  });
});

import fc from 'fast-check';
import type { MergeRig } from '../testing/merge-rig';
import { makeMergeRig } from '../testing/merge-rig';
import { mergeInMemory } from './merge-tree';
import { changedPaths, mergeDisjoint } from './trees';

/** Real git, once per generated merge. */
jest.setTimeout(120_000);

let rig: MergeRig;
beforeAll(async () => {
  rig = await makeMergeRig();
});
afterAll(() => rig.cleanup());

type Files = ReadonlyMap<string, string>;

const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/a', 'd/e/b', 'f/a', 'f/g/a'];
/** `d` may be a file in one version and a folder in another. */
const PATHS_WITH_CLASHES = [...PATHS, 'd', 'f/g'];

/** Contents are long and alike, so that git takes a moved file for a rename. */
const contentOf = (letter: string): string =>
  `${Array.from({ length: 12 }, (_, line) => `line ${line}`).join('\n')}\n${letter}\n`;

const version = (paths: readonly string[]) =>
  fc
    .array(fc.tuple(fc.constantFrom(...paths), fc.constantFrom('p', 'q', 'r')), { maxLength: 7 })
    .map((entries) => new Map(entries.filter(([path], at) => isFree(path, entries.slice(0, at)))));

/** A name cannot be a file and a folder at once. */
function isFree(path: string, before: readonly (readonly [string, string])[]): boolean {
  return before.every(
    ([other]) => other === path || !(other.startsWith(`${path}/`) || path.startsWith(`${other}/`)),
  );
}

/** Few changes, so that two of them often go together: a letter to write, `-` to delete. */
const edits = (paths: readonly string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...paths), fc.constantFrom('p', 'q', '-')), { maxLength: 2 });

function edited(base: Files, changes: readonly (readonly [string, string])[]): Files {
  const files = new Map(base);
  for (const [path, letter] of changes) {
    if (letter === '-') files.delete(path);
    else if (isFree(path, [...files])) files.set(path, letter);
  }
  return files;
}

async function treeOf(files: Files): Promise<string> {
  const objects = rig.git.objects(rig.root);
  const folders = new Map<string, Map<string, string>>();
  const own: { mode: string; name: string; id: string }[] = [];
  for (const [path, letter] of files) {
    const [first = '', ...rest] = path.split('/');
    if (rest.length === 0) {
      const stdin = contentOf(letter);
      const id = await rig.git.text(['hash-object', '-w', '--stdin'], { cwd: rig.root, stdin });
      own.push({ mode: '100644', name: first, id });
    } else {
      const inner = folders.get(first) ?? new Map<string, string>();
      folders.set(first, inner.set(rest.join('/'), letter));
    }
  }
  for (const [name, inner] of folders) own.push({ mode: '40000', name, id: await treeOf(inner) });
  return objects.writeTree(own);
}

const commitOf = (tree: string): Promise<string> =>
  rig.repo.git(['commit-tree', '-m', 'version', tree]);

describe('mergeDisjoint', () => {
  it('gives what git merges, or leaves the merge to git', async () => {
    let merged = 0;
    const versions = version(PATHS_WITH_CLASHES);
    const sides = fc.oneof(
      versions.map((files) => (): Files => files),
      edits(PATHS_WITH_CLASHES).map((changes) => (base: Files) => edited(base, changes)),
    );
    await fc.assert(
      fc.asyncProperty(versions, sides, sides, async (b, o, t) => {
        const [ours, theirs] = [await treeOf(o(b)), await treeOf(t(b))];
        const base = await treeOf(b);
        const own = await mergeDisjoint(rig.git.objects(rig.root), { base, ours, theirs });
        if (own === null) return;
        merged += 1;
        const commits = await Promise.all([ours, theirs, base].map(commitOf));
        const [left = '', right = '', below = ''] = commits;
        expect(await mergeInMemory(rig.git, rig.root, left, right, below)).toEqual({
          kind: 'clean',
          tree: own,
        });
      }),
      { numRuns: 60 },
    );
    expect(merged).toBeGreaterThan(5);
  });

  it('leaves a file both sides deleted to git, because one of them may have moved it', async () => {
    const objects = rig.git.objects(rig.root);
    const [base = '', ours = '', theirs = ''] = await Promise.all(
      [['b', 'c'], ['c'], ['a', 'c']].map((paths) =>
        treeOf(new Map(paths.map((path) => [path, 'p']))),
      ),
    );
    expect(await mergeDisjoint(objects, { base, ours, theirs })).toBeNull();
  });

  it('joins work in different files of one new folder', async () => {
    const objects = rig.git.objects(rig.root);
    const [base, ours, theirs, both] = await Promise.all(
      [[], ['out/a'], ['out/b'], ['out/a', 'out/b']].map((paths) =>
        treeOf(new Map(paths.map((path) => [path, 'p']))),
      ),
    );
    expect(
      await mergeDisjoint(objects, { base: base ?? '', ours: ours ?? '', theirs: theirs ?? '' }),
    ).toBe(both);
  });

  it('leaves a file both sides changed to git', async () => {
    const objects = rig.git.objects(rig.root);
    const [base, ours, theirs] = await Promise.all(
      ['p', 'q', 'r'].map((letter) => treeOf(new Map([['a', letter]]))),
    );
    expect(
      await mergeDisjoint(objects, { base: base ?? '', ours: ours ?? '', theirs: theirs ?? '' }),
    ).toBeNull();
  });
});

describe('changedPaths', () => {
  it('lists what git lists', async () => {
    const versions = version(PATHS_WITH_CLASHES);
    await fc.assert(
      fc.asyncProperty(versions, versions, async (a, b) => {
        const [from, to] = [await treeOf(a), await treeOf(b)];
        const changes = await changedPaths(rig.git.objects(rig.root), from, to);
        const listed = await rig.repo.git(['diff-tree', '-r', '--no-renames', '--raw', from, to]);
        const expected = listed
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => ({ mode: line.split(' ')[1], path: line.split('\t')[1] }));
        const byPath = (one: { path?: string | undefined }, two: { path?: string | undefined }) =>
          (one.path ?? '') < (two.path ?? '') ? -1 : 1;
        expect([...changes].sort(byPath)).toEqual(expected.sort(byPath));
      }),
      { numRuns: 40 },
    );
  });

  it('tells names beyond ASCII as they are', async () => {
    const before = await rig.repo.git(['rev-parse', 'HEAD^{tree}']);
    await rig.repo.commit({ 'ä/ö ü.txt': 'x\n' }, 'umlauts');
    const after = await rig.repo.git(['rev-parse', 'HEAD^{tree}']);
    expect(await changedPaths(rig.git.objects(rig.root), before, after)).toEqual([
      { mode: '100644', path: 'ä/ö ü.txt' },
    ]);
  });
});

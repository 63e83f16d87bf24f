import { gitAdapter } from '../adapters/simple-git';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { deleteRefs, isContained, reachableFrom, readKeptRefs } from './kept-refs';

const git = gitAdapter();
let repository: TestRepository;
let first: string;
beforeEach(async () => {
  repository = await makeRepository({ 'a.txt': 'one\n', 'b.txt': 'one\n' });
  first = await repository.git(['rev-parse', 'HEAD']);
});
afterEach(async () => {
  await repository.cleanup();
});

const keep = (ref: string, commit = first): Promise<string> =>
  repository.git(['update-ref', `refs/parallel/${ref}`, commit]);
const refs = async (): Promise<readonly string[]> =>
  (await repository.git(['for-each-ref', '--format=%(refname)', 'refs/parallel']))
    .split('\n')
    .filter(Boolean);

/** A commit with these files on `first`, under no branch. */
async function aside(files: Readonly<Record<string, string>>): Promise<string> {
  await repository.git(['switch', '--quiet', '--detach', first]);
  const made = await repository.commit(files, 'aside');
  await repository.git(['switch', '--quiet', 'main']);
  return made;
}

it('tells what a ref is by its name, and leaves out names that are not of our making', async () => {
  await keep('PEXEC-1/_integration');
  await keep('PEXEC-1/api/4');
  await keep('PEXEC-1/api/4-2');
  await keep('PEXEC-1/api/salvage-0123abcd');
  await keep('somebody/elses');
  await keep('PEXEC-1-lookalike');
  expect(
    (await readKeptRefs(git, repository.root)).map(({ run, task, role }) => [run, task, role]),
  ).toEqual([
    ['PEXEC-1', null, 'integration'],
    ['PEXEC-1', 'api', 'candidate'],
    ['PEXEC-1', 'api', 'candidate'],
    ['PEXEC-1', 'api', 'salvage'],
  ]);
});

describe('what is in the history of a branch', () => {
  it('is told for many commits at once', async () => {
    const outside = await aside({ 'a.txt': 'two\n' });
    const tip = await repository.commit({ 'b.txt': 'two\n' }, 'second');
    const found = await reachableFrom(git, repository.root, [first, outside, tip], [tip]);
    expect([...found]).toEqual([first, tip]);
  });

  it('is nothing when git cannot tell', async () => {
    const missing = '0123456789012345678901234567890123456789';
    expect((await reachableFrom(git, repository.root, [first, missing], [first])).size).toBe(0);
    expect((await reachableFrom(git, repository.root, [first], [])).size).toBe(0);
  });
});

describe('work that came into the branch another way', () => {
  it('is contained when every file it changed is there as it left it', async () => {
    const work = await aside({ 'a.txt': 'two\n', 'new.txt': 'new\n' });
    await repository.commit({ 'a.txt': 'two\n' }, 'a part');
    expect(await isContained(git, repository.root, work, 'main')).toBe(false);
    await repository.commit({ 'new.txt': 'new\n', 'b.txt': 'other\n' }, 'the rest');
    const tip = await repository.git(['rev-parse', 'main']);
    expect(await isContained(git, repository.root, work, tip)).toBe(true);
  });

  it('is not contained any more once it was changed again or taken back', async () => {
    const work = await aside({ 'a.txt': 'two\n' });
    await repository.commit({ 'a.txt': 'two\n' }, 'the same');
    const tip = await repository.commit({ 'a.txt': 'one\n' }, 'back');
    expect(await isContained(git, repository.root, work, tip)).toBe(false);
  });

  it('is not contained in an unrelated history', async () => {
    await repository.git(['switch', '--quiet', '--orphan', 'alone']);
    const tip = await repository.commit({ 'a.txt': 'one\n', 'b.txt': 'one\n' }, 'alone');
    expect(await isContained(git, repository.root, first, tip)).toBe(false);
  });
});

describe('deleting', () => {
  it('removes what still points where it was seen, and says what does not', async () => {
    await keep('PEXEC-1/a/1');
    await keep('PEXEC-1/b/1');
    await keep('PEXEC-1/c/1');
    const seen = await readKeptRefs(git, repository.root);
    const moved = await repository.commit({ 'a.txt': 'two\n' }, 'second');
    await keep('PEXEC-1/b/1', moved);
    await repository.git(['update-ref', '-d', 'refs/parallel/PEXEC-1/c/1']);
    const left = await deleteRefs(git, repository.root, seen);
    expect(left.map(({ ref }) => ref)).toEqual(['refs/parallel/PEXEC-1/b/1']);
    expect(await refs()).toEqual(['refs/parallel/PEXEC-1/b/1']);
    expect(await repository.git(['rev-parse', 'refs/parallel/PEXEC-1/b/1'])).toBe(moved);
  });

  it('is done with packed refs too, many at a time', async () => {
    const lines = Array.from(
      { length: 700 },
      (_, n) => `create refs/parallel/PEXEC-1/t/${n} ${first}`,
    );
    await git.text(['update-ref', '--stdin'], {
      cwd: repository.root,
      stdin: `${lines.join('\n')}\n`,
    });
    await repository.git(['pack-refs', '--all']);
    const seen = await readKeptRefs(git, repository.root);
    expect(seen).toHaveLength(700);
    expect(await deleteRefs(git, repository.root, seen)).toEqual([]);
    expect(await refs()).toEqual([]);
  });
});

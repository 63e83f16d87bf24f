import { gitAdapter } from '../adapters/simple-git';
import { parseTaskId } from '../model/ids';
import type { Files, TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { comingConflicts } from './coming-conflicts';

const LINES = Array.from({ length: 9 }, (_, at) => `line ${at}`);
const withLine = (at: number, text: string): string =>
  `${LINES.map((line, place) => (place === at ? text : line)).join('\n')}\n`;

let repository: TestRepository;
let base: string;
beforeAll(async () => {
  repository = await makeRepository({ 'a.txt': withLine(-1, ''), 'b.txt': 'b\n', 'c.txt': 'c\n' });
  base = await repository.git(['rev-parse', 'HEAD']);
});
afterAll(() => repository.cleanup());

/** A commit with `files` on `from`; the branch is where it was afterwards. */
async function commitOf(files: Files, from = base, remove: readonly string[] = []) {
  await repository.git(['reset', '--quiet', '--hard', from]);
  for (const path of remove) await repository.git(['rm', '--quiet', path]);
  return repository.commit(files, 'work');
}

async function workOf(name: string, files: Files, from = base, remove: readonly string[] = []) {
  const commit = await commitOf(files, from, remove);
  const tree = await repository.git(['rev-parse', `${commit}^{tree}`]);
  return { task: parseTaskId(name), base: from, tree };
}

const ahead = (works: readonly Awaited<ReturnType<typeof workOf>>[], tip = base) =>
  comingConflicts(gitAdapter(), repository.root, works, tip);

describe('coming conflicts', () => {
  it('are told of two that change the same line, and of no others', async () => {
    const works = [
      await workOf('one', { 'a.txt': withLine(1, 'mine'), 'b.txt': 'new\n' }),
      await workOf('two', { 'a.txt': withLine(1, 'yours') }),
      await workOf('three', { 'a.txt': withLine(7, 'far') }),
      await workOf('four', { 'd.txt': 'd\n' }),
    ];
    expect(await ahead(works)).toEqual([{ tasks: ['one', 'two'], paths: ['a.txt'] }]);
  });

  it('are told of a file one deleted or moved and the other changed', async () => {
    const works = [
      await workOf('gone', {}, base, ['a.txt']),
      await workOf('changed', { 'a.txt': withLine(2, 'new') }),
      await workOf('moved', { 'b.txt': 'changed\n' }),
      await workOf('away', { 'e.txt': 'b\n' }, base, ['b.txt']),
    ];
    const found = await ahead(works);
    expect(found).toContainEqual({ tasks: ['gone', 'changed'], paths: ['a.txt'] });
    expect(found).toHaveLength(1);
  });

  it('are told of a file that is a folder to the other', async () => {
    const works = [
      await workOf('file', { new: 'x\n' }),
      await workOf('folder', { 'new/x.txt': 'x\n' }),
    ];
    expect((await ahead(works)).map(({ tasks }) => tasks)).toEqual([['file', 'folder']]);
  });

  it('are told of work and what has landed since it began', async () => {
    const tip = await commitOf({ 'a.txt': withLine(3, 'landed') });
    const late = await workOf('late', { 'a.txt': withLine(3, 'late') });
    const apart = await workOf('apart', { 'a.txt': withLine(8, 'apart') });
    expect(await ahead([late, apart], tip)).toEqual([{ tasks: ['late'], paths: ['a.txt'] }]);
  });

  it('of two bases are those between the two, not those with what landed in between', async () => {
    const tip = await commitOf({ 'a.txt': withLine(3, 'landed') });
    const early = await workOf('early', { 'a.txt': withLine(3, 'early'), 'c.txt': 'early\n' });
    const later = await workOf('later', { 'c.txt': 'later\n' }, tip);
    expect(await ahead([early, later], tip)).toEqual([
      { tasks: ['early', 'later'], paths: ['c.txt'] },
      { tasks: ['early'], paths: ['a.txt'] },
    ]);
  });

  it('do not come from work that changed nothing', async () => {
    const tip = await commitOf({ 'a.txt': withLine(3, 'landed') });
    expect(await ahead([await workOf('idle', {}), await workOf('idle_too', {})], tip)).toEqual([]);
  });
});

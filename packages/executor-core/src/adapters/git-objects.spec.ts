import { execFileSync } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessRow } from './node-process-table';
import { procTable } from './node-process-table';
import { gitAdapter } from './simple-git';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import type { GitObjects, TreeEntry } from '../ports/git';

jest.setTimeout(30_000);

let repository: TestRepository;
let objects: GitObjects;
beforeEach(async () => {
  repository = await makeRepository({ 'a.txt': 'a\n', 'dir/ü.txt': 'u\n' });
  objects = gitAdapter().objects(repository.root);
});
afterEach(() => repository.cleanup());

const MISSING = '1'.repeat(40);
const head = () => repository.git(['rev-parse', 'HEAD']);
const treeAt = (revision: string) => repository.git(['rev-parse', `${revision}^{tree}`]);

describe('resolving', () => {
  it('names the commit of a branch, and sees at once when another git moves or deletes it', async () => {
    expect(await objects.resolve('refs/heads/side^{commit}')).toBeNull();
    await repository.git(['branch', 'side']);
    expect(await objects.resolve('refs/heads/side^{commit}')).toBe(await head());
    const next = await repository.commit({ 'a.txt': 'b\n' }, 'next');
    await repository.git(['branch', '--force', 'side', next]);
    expect(await objects.resolve('refs/heads/side^{commit}')).toBe(next);
    await repository.git(['pack-refs', '--all']);
    expect(await objects.resolve('refs/heads/side^{commit}')).toBe(next);
    await repository.git(['branch', '--quiet', '-D', 'side']);
    expect(await objects.resolve('refs/heads/side^{commit}')).toBeNull();
  });

  it('asks another git when the one that was asked is killed over it', async () => {
    await objects.resolve('HEAD');
    const table = procTable();
    const isOwn = (row: ProcessRow): boolean =>
      row.parent === process.pid && table.folderOf(row) === repository.root;
    const own = table.rows('now').filter(isOwn);
    for (const { pid } of own) process.kill(pid, 'SIGSTOP');
    const [commit, tree] = [objects.resolve('HEAD^{commit}'), objects.readCommit(await head())];
    for (const { pid } of own) process.kill(pid, 'SIGKILL');
    expect(own).toHaveLength(1);
    expect(await commit).toBe(await head());
    expect((await tree).tree).toBe(await treeAt('HEAD'));
  });

  it('takes a name that is no revision, or not even a line, for missing', async () => {
    expect(await objects.resolve('no such thing')).toBeNull();
    expect(await objects.resolve('HEAD\nHEAD')).toBeNull();
    expect(await objects.resolve('HEAD^{commit}')).toBe(await head());
  });

  it('answers a hundred questions at once, each with its own answer', async () => {
    const first = await head();
    const names = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? 'HEAD' : `none-${at}`));
    const answers = await Promise.all(names.map((name) => objects.resolve(name)));
    expect(answers).toEqual(names.map((name) => (name === 'HEAD' ? first : null)));
  });
});

describe('trees and commits', () => {
  it('reads what git wrote and writes what git would write, whatever the order', async () => {
    const id = await treeAt('HEAD');
    const entries = await objects.readTree(id);
    expect(entries.map(({ mode, name }) => [mode, name])).toEqual([
      ['100644', 'a.txt'],
      ['40000', 'dir'],
    ]);
    expect(await objects.writeTree([...entries].reverse())).toBe(id);
    const [, folder] = entries as readonly [TreeEntry, TreeEntry];
    const [file] = await objects.readTree(folder.id);
    expect(Buffer.from(file?.name ?? '', 'latin1').toString('utf8')).toBe('ü.txt');
    expect(await objects.writeTree(await objects.readTree(folder.id))).toBe(folder.id);
  });

  it('reads objects packed away meanwhile, and new ones', async () => {
    const next = await repository.commit({ 'b.txt': 'b\n' }, 'next');
    await repository.git(['gc', '--quiet', '--prune=now']);
    const commit = await objects.readCommit(next);
    expect(commit).toEqual({
      tree: await treeAt('HEAD'),
      parents: [await repository.git(['rev-parse', 'HEAD~1'])],
    });
  });

  it('rejects for a missing object and for one of another type, and goes on answering', async () => {
    await expect(objects.readTree(MISSING)).rejects.toThrow('missing');
    await expect(objects.readTree(await head())).rejects.toThrow('not a tree');
    await expect(objects.readCommit(await treeAt('HEAD'))).rejects.toThrow('not a commit');
    expect((await objects.readCommit(await head())).parents).toEqual([]);
  });

  it('writes a commit that git accepts', async () => {
    const tree = await treeAt('HEAD');
    const who = 'Ann <a@example.com> 1700000000 +0530';
    const text = `tree ${tree}\nparent ${await head()}\nauthor ${who}\ncommitter ${who}\n\nsubject ü\n`;
    const id = await objects.writeCommit(text);
    expect(await repository.git(['cat-file', 'commit', id])).toBe(text.trimEnd());
    await repository.git(['fsck', '--strict', '--no-dangling']);
  });

  it('rejects a malformed commit, and writes the next one all the same', async () => {
    await expect(objects.writeCommit('no commit\n')).rejects.toThrow('hash-object');
    const who = 'Ann <a@example.com> 1700000000 +0000';
    const text = `tree ${await treeAt('HEAD')}\nauthor ${who}\ncommitter ${who}\n\nok\n`;
    expect(await objects.writeCommit(text)).toMatch(/^[0-9a-f]{40}$/);
  });

  it('reads and writes trees of a repository with SHA-256 names', async () => {
    const root = `${repository.root}-256`;
    await repository.git(['init', '--quiet', '--object-format=sha256', root]);
    await repository.write({ 'x.txt': 'x\n', 'd/y.txt': 'y\n' }, root);
    await repository.git(['add', '.'], root);
    const id = await repository.git(['write-tree'], root);
    const there = gitAdapter().objects(root);
    const entries = await there.readTree(id);
    expect(entries.map(({ name }) => name)).toEqual(['d', 'x.txt']);
    expect(await there.writeTree(entries)).toBe(id);
  });
});

describe('moving refs', () => {
  it('is all or nothing, and one refusal does not stand in the way of the next move', async () => {
    const at = await head();
    const lines = [`create refs/parallel/one ${at}`, `verify refs/heads/main ${MISSING}`];
    const refused = await objects.moveRefs(lines);
    expect(refused.ok ? '' : refused.result.stderr).toContain('refs/heads/main');
    expect(await objects.resolve('refs/parallel/one')).toBeNull();
    expect(await objects.moveRefs([`create refs/parallel/one ${at}`])).toEqual({ ok: true });
    expect(await objects.moveRefs([`delete refs/parallel/one ${at}`])).toEqual({ ok: true });
    expect(await objects.resolve('refs/parallel/one')).toBeNull();
  });

  it('lets one of several contenders win', async () => {
    const at = await head();
    const others = Array.from({ length: 5 }, () => gitAdapter().objects(repository.root));
    const moves = others.map((other) => other.moveRefs([`create refs/parallel/won ${at}`]));
    const won = (await Promise.all(moves)).filter(({ ok }) => ok);
    expect(won).toHaveLength(1);
  });
});

describe('patches', () => {
  it('hold text, binary, deleted and executable files, and apply to the first tree', async () => {
    const from = await treeAt('HEAD');
    await repository.write({ 'a.txt': '#end\nno newline', 'bin.dat': '\0\u0001\n#end\n' });
    await repository.git(['rm', '--quiet', 'dir/ü.txt']);
    await repository.git(['add', '.']);
    const to = await repository.git(['write-tree']);
    const patch = await objects.patch(from, to);
    await repository.git(['read-tree', from]);
    await repository.write({ '../the.patch': patch.toString('latin1') });
    await repository.git(['apply', '--cached', '../the.patch']);
    expect(await repository.git(['write-tree'])).toBe(to);
  });

  it('are empty for equal trees, and the next one is whole', async () => {
    const tree = await treeAt('HEAD');
    const empty = await objects.writeTree([]);
    const [none, all] = await Promise.all([objects.patch(tree, tree), objects.patch(empty, tree)]);
    expect(none.toString()).toBe('');
    expect(all.toString().match(/^diff --git/gm)).toHaveLength(2);
  });
});

describe('the submodules of a tree', () => {
  it('are remembered however many folders it has', async () => {
    const folders = Array.from(
      { length: 4200 },
      (_, at) => `M 100644 inline d${at}/f\ndata 1\nx\n`,
    );
    const stream = `commit refs/heads/wide\ncommitter t <t@t> 0 +0000\ndata 1\nx\n${folders.join('')}`;
    // Loose, so that no git has them open.
    execFileSync('git', ['-c', 'fastimport.unpackLimit=100000', 'fast-import', '--quiet'], {
      cwd: repository.root,
      input: `${stream}M 160000 ${MISSING} inner\n`,
    });
    const tree = await treeAt('wide');
    expect(await objects.gitlinks(tree)).toEqual(['inner']);
    await rename(join(repository.root, '.git/objects'), join(repository.root, '.git/gone'));
    expect(await objects.gitlinks(tree)).toEqual(['inner']);
  });

  it('are found in every folder, and in one of a later commit, by its own path', async () => {
    const stream = `commit refs/heads/deep\ncommitter t <t@t> 0 +0000\ndata 1\nx\n${[
      'M 160000 ID top',
      'M 160000 ID a/b/é in',
      'M 160000 ID a/b2/in',
      'M 100644 inline a/c/f\ndata 1\nx',
    ]
      .join('\n')
      .replaceAll('ID', MISSING)}\n`;
    const later = `commit refs/heads/later\ncommitter t <t@t> 0 +0000\ndata 1\nx\nfrom refs/heads/deep\n`;
    execFileSync('git', ['fast-import', '--quiet'], {
      cwd: repository.root,
      input: `${stream}${later}R a/b moved/b\nM 160000 ${MISSING} a/c/new\nD top\n`,
    });
    const [first, second] = [await treeAt('deep'), await treeAt('later')];
    expect([...(await objects.gitlinks(first))].sort()).toEqual(['a/b/é in', 'a/b2/in', 'top']);
    expect([...(await objects.gitlinks(second))].sort()).toEqual([
      'a/b2/in',
      'a/c/new',
      'moved/b/é in',
    ]);
    expect(
      [...(await objects.gitlinks(await repository.git(['rev-parse', 'deep:a'])))].sort(),
    ).toEqual(['b/é in', 'b2/in']);
    await expect(objects.gitlinks(MISSING)).rejects.toThrow(MISSING);
  });
});

import * as fs from 'node:fs';
import {
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileTree } from './node-file-tree';

describe('nodeFileTree', () => {
  const files = nodeFileTree();
  let folder: string;
  const at = (...names: readonly string[]) => join(folder, ...names);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parallel tree '));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('tells what a name stands for without following links', async () => {
    await mkdir(at('folder'));
    await writeFile(at('file'), '');
    await symlink('folder', at('link'));
    await symlink('nowhere', at('dangling'));
    const names = ['folder', 'file', 'link', 'dangling', 'missing', 'file/below'];
    const kinds = await Promise.all(names.map((name) => files.kind(at(name))));
    expect(kinds).toEqual(['folder', 'file', 'link', 'link', null, null]);
  });

  it('reads and makes links with exactly the given text', async () => {
    await files.makeLink('../some where/ü', at('link'));
    expect(await readlink(at('link'))).toBe('../some where/ü');
    expect(await files.readLink(at('link'))).toBe('../some where/ü');
    await expect(files.makeLink('other', at('link'))).rejects.toThrow('EEXIST');
  });

  it('copies a tree and keeps relative links as they are written', async () => {
    await mkdir(at('from/deep'), { recursive: true });
    await writeFile(at('from/deep/file'), 'text');
    await symlink('deep/file', at('from/link'));
    await files.copy(at('from'), at('to'));
    expect(await readFile(at('to/deep/file'), 'utf8')).toBe('text');
    expect((await lstat(at('to/link'))).isSymbolicLink()).toBe(true);
    expect(await readlink(at('to/link'))).toBe('deep/file');
  });

  it('leaves what exists at the destination as it is', async () => {
    await mkdir(at('from'));
    await mkdir(at('to'));
    await writeFile(at('from/old'), 'from');
    await writeFile(at('from/new'), 'from');
    await writeFile(at('to/old'), 'to');
    await files.copy(at('from'), at('to'));
    expect(await readFile(at('to/old'), 'utf8')).toBe('to');
    expect(await readFile(at('to/new'), 'utf8')).toBe('from');
  });

  it('gives the files of a tree a second name, and copies links with their text', async () => {
    await mkdir(at('from/deep'), { recursive: true });
    await writeFile(at('from/deep/file'), 'text');
    await symlink('deep/file', at('from/link'));
    await files.hardLink(at('from'), at('to'));
    expect((await lstat(at('to/deep/file'))).ino).toBe((await lstat(at('from/deep/file'))).ino);
    expect((await lstat(at('to/deep'))).isDirectory()).toBe(true);
    expect(await readlink(at('to/link'))).toBe('deep/file');
  });

  it('leaves what exists at the destination as it is, also when it links', async () => {
    await mkdir(at('from'));
    await mkdir(at('to'));
    await writeFile(at('from/old'), 'from');
    await writeFile(at('from/new'), 'from');
    await writeFile(at('to/old'), 'to');
    await files.hardLink(at('from'), at('to'));
    expect(await readFile(at('to/old'), 'utf8')).toBe('to');
    expect(await readFile(at('to/new'), 'utf8')).toBe('from');
  });

  it('links nothing through a link at the destination', async () => {
    await mkdir(at('from/deep'), { recursive: true });
    await writeFile(at('from/deep/file'), 'text');
    await mkdir(at('to'));
    await mkdir(at('outside'));
    await symlink('../outside', at('to/deep'));
    await files.hardLink(at('from'), at('to'));
    await expect(lstat(at('outside/file'))).rejects.toThrow('ENOENT');
  });

  it('copies where a file cannot have a second name, as on another file system', async () => {
    await writeFile(at('file'), 'text');
    const refused = Object.assign(new Error('cross-device'), { code: 'EXDEV' });
    const link = jest.spyOn(fs.promises, 'link').mockRejectedValueOnce(refused);
    await files.hardLink(at('file'), at('copy'));
    expect(link).toHaveBeenCalledTimes(1);
    expect(await readFile(at('copy'), 'utf8')).toBe('text');
    expect((await lstat(at('copy'))).nlink).toBe(1);
  });

  it('resolves links, and says null for a path that leads nowhere', async () => {
    const real = await files.realPath(folder);
    await mkdir(at('folder'));
    await symlink('folder', at('link'));
    await symlink('nowhere', at('dangling'));
    expect(await files.realPath(at('link'))).toBe(join(real ?? '', 'folder'));
    expect(await files.realPath(at('dangling'))).toBeNull();
  });
});

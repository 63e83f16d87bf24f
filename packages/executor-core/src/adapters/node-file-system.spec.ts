import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from './node-file-system';

describe('nodeFileSystem', () => {
  const files = nodeFileSystem();
  let dir: string;
  const at = (...names: string[]): string => join(dir, ...names);
  const modeOf = (path: string): number => fs.statSync(path).mode & 0o777;

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'node-fs-'));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('answers with a value for everything that is missing', async () => {
    expect(await files.readText(at('no'))).toBeNull();
    expect(await files.readText(at('no', 'deeper'))).toBeNull();
    expect(await files.readFrom(at('no'), 3)).toEqual(Buffer.alloc(0));
    expect(await files.list(at('no'))).toEqual([]);
    expect(await files.rename(at('no'), at('other'))).toBe(false);
    expect(await files.removeFile(at('no'))).toBe(false);
    expect(await files.touch(at('no'))).toBe(false);
    expect(await files.modifiedAt(at('no'))).toBeNull();
    expect(await files.size(at('no'))).toBeNull();
    expect(await files.exists(at('no'))).toBe(false);
    await files.removeTree(at('no'));
  });

  it('rejects when something else than absence is wrong', async () => {
    fs.mkdirSync(at('folder'));
    await expect(files.readText(at('folder'))).rejects.toThrow('EISDIR');
    await expect(files.writeAtomic(at('no', 'file'), 'x')).rejects.toThrow('ENOENT');
    fs.writeFileSync(at('file'), '');
    await expect(files.list(at('file'))).resolves.toEqual([]);
    await expect(files.rename(at('file'), at('no', 'file'))).rejects.toThrow('ENOENT');
  });

  it('keeps new files and folders private whatever the file mask allows', async () => {
    const mask = process.umask(0);
    try {
      await files.makeDir(at('a', 'b'));
      await files.writeAtomic(at('a', 'atomic'), 'x');
      await files.createExclusive(at('a', 'exclusive'), 'x');
      const log = await files.openAppend(at('a', 'log'));
      await log.close();
    } finally {
      process.umask(mask);
    }
    expect([modeOf(at('a')), modeOf(at('a', 'b'))]).toEqual([0o700, 0o700]);
    for (const name of ['atomic', 'exclusive', 'log']) expect(modeOf(at('a', name))).toBe(0o600);
  });

  it('makes a folder that is there already without complaint', async () => {
    await files.makeDir(at('a'));
    await expect(files.makeDir(at('a'))).resolves.toBeUndefined();
  });

  it('reads from an offset to the end, and nothing behind the end', async () => {
    await files.writeAtomic(at('f'), 'héllo');
    expect(await files.size(at('f'))).toBe(6);
    expect((await files.readFrom(at('f'), 0)).toString()).toBe('héllo');
    expect((await files.readFrom(at('f'), 3)).toString()).toBe('llo');
    expect(await files.readFrom(at('f'), 99)).toEqual(Buffer.alloc(0));
  });

  it('replaces a file as one step: a reader sees the old or the new content, never a part', async () => {
    const versions = ['a'.repeat(200_000), 'b'.repeat(200_000)];
    await files.writeAtomic(at('f'), 'a'.repeat(200_000));
    const seen = new Set<string | null>();
    for (let round = 0; round < 20; round++) {
      const [, ...texts] = await Promise.all([
        files.writeAtomic(at('f'), 'ba'.charAt(round % 2).repeat(200_000)),
        ...Array.from({ length: 8 }, () => files.readText(at('f'))),
      ]);
      for (const text of texts) seen.add(text);
    }
    expect([...seen].every((text) => text !== null && versions.includes(text))).toBe(true);
  });

  it('replaces a symbolic link itself and leaves what it pointed at alone', async () => {
    fs.writeFileSync(at('outside'), 'precious');
    fs.symlinkSync(at('outside'), at('link'));
    await files.writeAtomic(at('link'), 'ours');
    expect(fs.readFileSync(at('outside'), 'utf8')).toBe('precious');
    expect(fs.readFileSync(at('link'), 'utf8')).toBe('ours');
  });

  it('leaves no temporary file behind, also when it fails', async () => {
    fs.mkdirSync(at('taken'));
    await expect(files.writeAtomic(at('taken'), 'x')).rejects.toThrow();
    await files.writeAtomic(at('f'), 'x');
    await files.createExclusive(at('f'), 'y');
    expect(fs.readdirSync(dir).sort()).toEqual(['f', 'taken']);
  });

  it('hides the temporary file of a writer that was killed', async () => {
    fs.writeFileSync(at('.tmp-123-0123456789abcdef'), 'half');
    fs.writeFileSync(at('b'), '');
    fs.writeFileSync(at('a'), '');
    expect(await files.list(dir)).toEqual(['a', 'b']);
  });

  it('lets exactly one of many exclusive creators win, with its content in place', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `owner-${n}`);
    const won = await Promise.all(names.map((name) => files.createExclusive(at('lock'), name)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(fs.readFileSync(at('lock'), 'utf8')).toBe(names[won.indexOf(true)]);
  });

  it('never creates through a dangling link', async () => {
    fs.symlinkSync(at('outside'), at('lock'));
    expect(await files.createExclusive(at('lock'), 'x')).toBe(false);
    expect(await files.exists(at('lock'))).toBe(true);
    expect(fs.existsSync(at('outside'))).toBe(false);
  });

  it('removes a tree without following links out of it', async () => {
    fs.mkdirSync(at('outside'));
    fs.writeFileSync(at('outside', 'precious'), '');
    fs.mkdirSync(at('tree', 'deep'), { recursive: true });
    fs.symlinkSync(at('outside'), at('tree', 'deep', 'link'));
    fs.symlinkSync(at('outside'), at('direct'));
    await files.removeTree(at('tree'));
    await files.removeTree(`${at('direct')}/`);
    expect(fs.readdirSync(dir)).toEqual(['outside']);
    expect(fs.existsSync(at('outside', 'precious'))).toBe(true);
  });

  it('removes many trees at once, links and names with a dash included, and what is missing besides', async () => {
    fs.mkdirSync(at('outside'));
    fs.writeFileSync(at('outside', 'precious'), '');
    const trees = Array.from({ length: 450 }, (_, n) => at(`-rf ${n}`));
    for (const tree of trees) fs.mkdirSync(join(tree, 'deep'), { recursive: true });
    fs.symlinkSync(at('outside'), at('direct'));
    await files.removeTrees([...trees, `${at('direct')}/`, at('missing')]);
    expect(fs.readdirSync(dir)).toEqual(['outside']);
    expect(fs.existsSync(at('outside', 'precious'))).toBe(true);
  });

  it('renames and removes files', async () => {
    fs.writeFileSync(at('a'), 'x');
    expect(await files.rename(at('a'), at('b'))).toBe(true);
    expect(await files.readText(at('b'))).toBe('x');
    expect(await files.removeFile(at('b'))).toBe(true);
    expect(await files.exists(at('b'))).toBe(false);
  });

  it('gives a file a second name that stays when the first is replaced, and says so when it cannot', async () => {
    const [first, second] = [at('first'), at('second')];
    await files.writeAtomic(first, 'old');
    expect(await files.link(first, second)).toBe(true);
    await files.writeAtomic(first, 'new');
    expect(await files.readText(second)).toBe('old');
    expect(await files.link(first, second)).toBe(false);
    expect(await files.link(at('none'), at('third'))).toBe(false);
  });

  it('stamps a file with what changes when it is written, and not when it is read or linked', async () => {
    const path = at('stamped');
    expect(await files.stamp(path)).toBeNull();
    await files.writeAtomic(path, 'same');
    const before = await files.stamp(path);
    await files.readText(path);
    await files.link(path, at('other'));
    expect(await files.stamp(path)).toBe(before);
    await files.writeAtomic(path, 'same');
    expect(await files.stamp(path)).not.toBe(before);
  });

  it('touches a file to now', async () => {
    fs.writeFileSync(at('f'), '');
    fs.utimesSync(at('f'), 1000, 1000);
    expect(await files.modifiedAt(at('f'))).toBe(1_000_000);
    const before = Date.now();
    expect(await files.touch(at('f'))).toBe(true);
    expect(await files.modifiedAt(at('f'))).toBeGreaterThanOrEqual(before - 1);
  });

  it('tells a watcher about a new file in the folder', async () => {
    let stop = (): void => undefined;
    await new Promise<void>((resolve) => {
      stop = files.watch(dir, resolve);
      fs.writeFileSync(at('new'), '');
    });
    stop();
  });

  it('gives no hint and does not fail when the watched folder is missing', () => {
    const stop = files.watch(at('no'), () => undefined);
    expect(() => {
      stop();
    }).not.toThrow();
  });
});

describe('an append file', () => {
  const files = nodeFileSystem();
  let dir: string;

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'node-fs-'));
  });
  afterEach(() => {
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('always writes at the end, also beside another writer', async () => {
    const path = join(dir, 'log');
    const [one, two] = await Promise.all([files.openAppend(path), files.openAppend(path)]);
    one.append(Buffer.from('1'));
    two.append(Buffer.from('2'));
    one.append(Buffer.from('3'));
    await Promise.all([one.sync(), two.sync()]);
    await Promise.all([one.close(), two.close()]);
    expect(fs.readFileSync(path, 'utf8')).toBe('123');
  });

  it('refuses to append through a symbolic link', async () => {
    fs.writeFileSync(join(dir, 'outside'), '');
    fs.symlinkSync(join(dir, 'outside'), join(dir, 'log'));
    await expect(files.openAppend(join(dir, 'log'))).rejects.toThrow('ELOOP');
  });

  it('throws on a short write and after a full disk', async () => {
    const full = await files.openAppend('/dev/full');
    expect(() => {
      full.append(Buffer.from('x'));
    }).toThrow('ENOSPC');
    await full.close();
  });

  it('refuses to write once closed, and closes twice without harm', async () => {
    const log = await files.openAppend(join(dir, 'log'));
    await log.close();
    await log.close();
    expect(() => {
      log.append(Buffer.from('x'));
    }).toThrow('log is closed');
    await expect(log.sync()).rejects.toThrow('log is closed');
  });
});

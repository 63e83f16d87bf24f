import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileSystem } from '../adapters/node-file-system';
import type { FileSystem } from '../ports/file-system';
import { readUnchanged } from './unchanged-text';

describe('readUnchanged', () => {
  let folder: string;
  let reads: number;
  let fs: FileSystem;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parallel-unchanged-'));
    reads = 0;
    const real = nodeFileSystem();
    fs = {
      ...real,
      readText: (path) => {
        reads += 1;
        return real.readText(path);
      },
    };
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const path = (): string => join(folder, 'HEAD');

  it('reads a file that stays as it is once', async () => {
    writeFileSync(path(), 'one');
    expect([await readUnchanged(fs, path()), await readUnchanged(fs, path())]).toEqual([
      'one',
      'one',
    ]);
    expect(reads).toBe(1);
  });

  it('reads a file again that another one took the name of', async () => {
    writeFileSync(path(), 'one');
    await readUnchanged(fs, path());
    await fs.replace(path(), 'two');
    expect(await readUnchanged(fs, path())).toBe('two');
  });

  it('knows that a file has gone, and that it is there again', async () => {
    writeFileSync(path(), 'one');
    await readUnchanged(fs, path());
    rmSync(path());
    expect(await readUnchanged(fs, path())).toBeNull();
    writeFileSync(path(), 'new');
    expect(await readUnchanged(fs, path())).toBe('new');
  });

  it('does not take what was written while it read for what it read', async () => {
    writeFileSync(path(), 'one');
    const racing: FileSystem = {
      ...fs,
      readText: async (name) => {
        const text = await fs.readText(name);
        await fs.replace(name, 'later');
        return text;
      },
    };
    expect(await readUnchanged(racing, path())).toBe('one');
    const calm: FileSystem = Object.assign(racing, {
      readText: (name: string) => fs.readText(name),
    });
    expect(await readUnchanged(calm, path())).toBe('later');
  });
});

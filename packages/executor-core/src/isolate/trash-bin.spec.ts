import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileSystem } from '../adapters/node-file-system';
import type { Clock } from '../ports/clock';
import { createTrashBin } from './trash-bin';

describe('createTrashBin', () => {
  const fs = nodeFileSystem();
  let base: string;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'parallel-trash-'));
    for (const name of ['a', 'b']) {
      await mkdir(join(base, '.trash', name, 'deep'), { recursive: true });
      await writeFile(join(base, '.trash', name, 'deep/file'), '');
    }
  });
  afterEach(() => rm(base, { recursive: true, force: true }));

  it('deletes what is in the trash and nothing beside it', async () => {
    await mkdir(join(base, 'agent-1'));
    await createTrashBin(fs, undefined).empty(base);
    expect(await readdir(base)).toEqual(['.trash', 'agent-1']);
    expect(await readdir(join(base, '.trash'))).toEqual([]);
  });

  it('goes on with the next tree when one cannot be deleted', async () => {
    const removeTree: typeof fs.removeTree = (path) =>
      path.endsWith('/a') ? Promise.reject(new Error('EACCES')) : fs.removeTree(path);
    await createTrashBin({ ...fs, removeTree }, undefined).empty(base);
    expect(await readdir(join(base, '.trash'))).toEqual(['a']);
  });

  it('deletes one tree at a time', async () => {
    let now = 0;
    let most = 0;
    const removeTree: typeof fs.removeTree = async (path) => {
      most = Math.max(most, (now += 1));
      await fs.removeTree(path);
      now -= 1;
    };
    const bin = createTrashBin({ ...fs, removeTree }, undefined);
    await Promise.all([bin.empty(base), bin.empty(base), bin.close(base)]);
    expect(most).toBe(1);
  });

  it('does not wait for ever when it is closed', async () => {
    const removeTree = () => new Promise<void>(() => undefined);
    const delays: number[] = [];
    const after: Clock['after'] = (delay, callback) => {
      delays.push(delay);
      callback();
      return () => undefined;
    };
    await createTrashBin({ ...fs, removeTree }, { now: () => 0, after }).close(base);
    expect(delays).toEqual([10_000]);
  });
});

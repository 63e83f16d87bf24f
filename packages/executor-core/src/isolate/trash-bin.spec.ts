import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileSystem } from '../adapters/node-file-system';
import type { Clock } from '../ports/clock';
import { createTrashBin } from './trash-bin';

describe('createTrashBin', () => {
  const fs = nodeFileSystem();
  let base: string;
  const site = () => ({ base, commonDir: join(base, 'git') });

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'parallel-trash-'));
    for (const name of ['a', 'b']) {
      await mkdir(join(base, '.trash', name, 'deep'), { recursive: true });
      await writeFile(join(base, '.trash', name, 'deep/file'), '');
    }
  });
  afterEach(() => rm(base, { recursive: true, force: true }));

  it('deletes what is in the trash of the trees and of the entries, and nothing beside it', async () => {
    await mkdir(join(base, 'agent-1'));
    await mkdir(join(base, 'git/parallel/trash/entry'), { recursive: true });
    await createTrashBin(fs, undefined).close(site());
    expect(await readdir(base)).toEqual(['.trash', 'agent-1', 'git']);
    expect(await readdir(join(base, '.trash'))).toEqual([]);
    expect(await readdir(join(base, 'git/parallel/trash'))).toEqual([]);
  });

  it('leaves what cannot be deleted for the next run', async () => {
    const removeTrees = () => Promise.reject(new Error('EACCES'));
    await createTrashBin({ ...fs, removeTrees }, undefined).close(site());
    expect(await readdir(join(base, '.trash'))).toEqual(['a', 'b']);
  });

  it('sweeps once, a second later, for all that is thrown away meanwhile', async () => {
    const due = new Map<number, () => void>();
    const after: Clock['after'] = (delay, callback) => {
      due.set(delay, callback);
      return () => undefined;
    };
    const swept: (readonly string[])[] = [];
    const removeTrees: typeof fs.removeTrees = (paths) => {
      swept.push(paths);
      return fs.removeTrees(paths);
    };
    const bin = createTrashBin({ ...fs, removeTrees }, { now: () => 0, after });
    bin.fill(site());
    bin.fill(site());
    expect([...due.keys()]).toEqual([1000]);
    due.get(1000)?.();
    await bin.close(site());
    expect(swept.map((paths) => paths.length)).toEqual([2]);
  });

  it('does not wait for ever when it is closed', async () => {
    const removeTrees = () => new Promise<void>(() => undefined);
    const delays: number[] = [];
    const after: Clock['after'] = (delay, callback) => {
      delays.push(delay);
      callback();
      return () => undefined;
    };
    await createTrashBin({ ...fs, removeTrees }, { now: () => 0, after }).close(site());
    expect(delays).toEqual([10_000]);
  });
});

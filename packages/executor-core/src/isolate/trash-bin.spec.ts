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
    await createTrashBin(fs, undefined).empty(site());
    expect(await readdir(base)).toEqual(['.trash', 'agent-1', 'git']);
    expect(await readdir(join(base, '.trash'))).toEqual([]);
    expect(await readdir(join(base, 'git/parallel/trash'))).toEqual([]);
  });

  it('leaves what cannot be deleted for the next run', async () => {
    const removeTrees = () => Promise.reject(new Error('EACCES'));
    await createTrashBin({ ...fs, removeTrees }, undefined).empty(site());
    expect(await readdir(join(base, '.trash'))).toEqual(['a', 'b']);
  });

  it('makes one sweep at a time, with all that came before it', async () => {
    let now = 0;
    let most = 0;
    const swept: number[] = [];
    const removeTrees: typeof fs.removeTrees = async (paths) => {
      swept.push(paths.length);
      most = Math.max(most, (now += 1));
      await fs.removeTrees(paths);
      now -= 1;
    };
    const bin = createTrashBin({ ...fs, removeTrees }, undefined);
    await Promise.all([bin.empty(site()), bin.empty(site()), bin.close(site())]);
    expect(most).toBe(1);
    expect(swept).toEqual([2]);
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

import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canMountOverlay } from '../testing/can-mount-overlay';
import { mountPlaces, nodeMounts } from './node-mounts';

describe('mountPlaces', () => {
  it('reads places from the mount table, with the characters it escapes', () => {
    const line = (place: string) =>
      `44 27 0:39 / ${place} rw,relatime - overlay overlay rw,lowerdir=/a`;
    expect(mountPlaces(`${line('/tmp/my\\040rep\u00e9')}\n${line('/b')}\n`)).toEqual([
      '/tmp/my rep\u00e9',
      '/b',
    ]);
  });
});

(canMountOverlay() ? describe : describe.skip)('nodeMounts', () => {
  let folder: string;
  let mount: { lower: string; changes: string; work: string; at: string };
  const mounts = nodeMounts();

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'parallel mounts-')));
    const at = (name: string) => join(folder, name);
    mount = { lower: at('lower'), changes: at('changes'), work: at('work'), at: at('at') };
    for (const path of Object.values(mount)) await mkdir(path);
    await mkdir(join(mount.lower, 'dir'));
    await writeFile(join(mount.lower, 'dir/f'), 'lower');
  });
  afterEach(async () => {
    for (const at of await mounts.below(folder)) await mounts.unmount(at);
    await rm(folder, { recursive: true });
  });

  it('shows a folder under what is written over it, which can be renamed', async () => {
    await mounts.overlay(mount);
    await writeFile(join(mount.at, 'dir/f'), 'over');
    await rename(join(mount.at, 'dir'), join(mount.at, 'moved'));
    expect(await readFile(join(mount.at, 'moved/f'), 'utf8')).toBe('over');
    expect(await readFile(join(mount.lower, 'dir/f'), 'utf8')).toBe('lower');
    expect(await mounts.below(folder)).toEqual([mount.at]);
    expect(await mounts.below(mount.lower)).toEqual([]);
  });

  it('unmounts what is there, however often, and nothing where there is nothing', async () => {
    await mounts.overlay(mount);
    await mounts
      .overlay({ ...mount, changes: join(folder, 'c2'), work: join(folder, 'w2') })
      .catch(() => undefined);
    await mounts.unmount(mount.at);
    await mounts.unmount(mount.at);
    expect(await mounts.below(folder)).toEqual([]);
  });

  it('rejects with the words of the system, and for a name that mount cannot take', async () => {
    await expect(mounts.overlay({ ...mount, at: join(folder, 'none') })).rejects.toThrow(/none/);
    await expect(mounts.overlay({ ...mount, lower: `${folder},x` })).rejects.toThrow(/character/);
    const at = `${mount.at}\n`;
    await expect(mounts.overlay({ ...mount, at })).rejects.toThrow(/line end/);
  });

  it('says that an overlay can be had, and leaves nothing of the trial', async () => {
    expect(await mounts.problem(mount.lower)).toBeNull();
    expect(await readdir(mount.lower)).toEqual(['dir']);
    expect(await mounts.problem(join(folder, 'missing'))).toMatch(/cannot be mounted here/);
  });
});

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessIdentity } from '../model/process';
import { inspectFolder, placeFolder, stageFolder } from './lockfile-folder';
import { breakDeadLock, sweepLeftovers } from './lockfile-takeover';
import { nodeProcesses } from './node-processes';

const processes = nodeProcesses();
const living = processes.self();
const dead: ProcessIdentity = { ...living, bootId: 'an-earlier-boot' };

let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockfile-'));
  lock = join(folder, 'table.lock');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Puts a lock or a claim at `path` and returns the name of the instance. */
async function put(path: string, owner: ProcessIdentity): Promise<string> {
  const staged = await stageFolder(lock, owner);
  expect(await placeFolder(staged, path)).toBe(true);
  return staged.nonce;
}

describe('the lock folder', () => {
  it('names its owner from the moment it is there', async () => {
    const instance = await put(lock, living);
    expect(await inspectFolder(lock)).toMatchObject({ kind: 'held', instance, owner: living });
  });

  it('cannot be put where another one is', async () => {
    const instance = await put(lock, living);
    expect(await placeFolder(await stageFolder(lock, living), lock)).toBe(false);
    expect(await inspectFolder(lock)).toMatchObject({ instance });
  });

  it('is free when it is missing, and damaged, not free, when nobody can read it', async () => {
    expect(await inspectFolder(lock)).toEqual({ kind: 'free' });
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner.json'), '');
    expect(await inspectFolder(lock)).toMatchObject({ kind: 'held', owner: null });
  });

  it('does not take a nonce from the record that would lead out of the folder', async () => {
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner.json'), JSON.stringify({ ...living, nonce: '../../x' }));
    expect(await inspectFolder(lock)).toMatchObject({ kind: 'held', owner: null });
  });
});

describe('takeover', () => {
  it('removes the lock of a dead owner and leaves nothing behind', async () => {
    await put(lock, dead);
    expect(await breakDeadLock(lock, processes)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves the lock of a living owner alone', async () => {
    const instance = await put(lock, living);
    expect(await breakDeadLock(lock, processes)).toBe(false);
    expect(await inspectFolder(lock)).toMatchObject({ instance });
    expect(readdirSync(folder)).toEqual(['table.lock']);
  });

  it('removes a lock whose record a power cut destroyed', async () => {
    mkdirSync(lock);
    writeFileSync(join(lock, 'owner.json'), '\0\0\0');
    expect(await breakDeadLock(lock, processes)).toBe(true);
    expect(await inspectFolder(lock)).toEqual({ kind: 'free' });
  });

  it('stands back while a living process has the right to remove it', async () => {
    const instance = await put(lock, dead);
    await put(`${lock}.takeover-${instance}`, living);
    expect(await breakDeadLock(lock, processes)).toBe(false);
    expect(await inspectFolder(lock)).toMatchObject({ instance });
  });

  it('goes on where claimants died, however many', async () => {
    const instance = await put(lock, dead);
    await put(`${lock}.takeover-${instance}`, dead);
    await put(`${lock}.takeover-${instance}-2`, dead);
    expect(await breakDeadLock(lock, processes)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('never removes a fresh lock on the strength of what it saw before', async () => {
    const instance = await put(lock, dead);
    let fresh = '';
    // Between the contender's first look and its claim, a rival takes over and locks anew.
    const slow = {
      ...processes,
      isAlive(identity: ProcessIdentity) {
        if (fresh === '' && identity.bootId === dead.bootId) {
          rmSync(lock, { recursive: true });
          fresh = 'ffffffffffffffff';
          mkdirSync(lock);
          const record = JSON.stringify({ ...living, nonce: fresh });
          writeFileSync(join(lock, 'owner.json'), record);
        }
        return processes.isAlive(identity);
      },
    };
    await breakDeadLock(lock, slow);
    expect(fresh).not.toBe(instance);
    expect(await inspectFolder(lock)).toMatchObject({ instance: fresh });
    expect(readdirSync(folder)).toEqual(['table.lock']);
  });
});

describe('the sweep', () => {
  it('deletes trash, folders of dead processes and claims on locks that are gone', async () => {
    await stageFolder(lock, dead);
    mkdirSync(`${lock}.trash-0123456789abcdef`);
    await put(`${lock}.takeover-0123456789abcdef`, living);
    await sweepLeftovers(lock, processes);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps claims on the lock that is there, folders of living processes, and other files', async () => {
    const instance = await put(lock, dead);
    const claim = `${lock}.takeover-${instance}`;
    await put(claim, dead);
    const staged = await stageFolder(lock, living);
    writeFileSync(`${lock}.txt`, '');
    await sweepLeftovers(lock, processes);
    for (const path of [lock, claim, staged.folder, `${lock}.txt`]) {
      expect(existsSync(path)).toBe(true);
    }
  });

  it('deletes a folder without a record only when it is long abandoned', async () => {
    const young = `${lock}.new-1-00`;
    const old = `${lock}.new-1-01`;
    mkdirSync(young);
    mkdirSync(old);
    utimesSync(old, 0, 0);
    await sweepLeftovers(lock, processes);
    expect(existsSync(young)).toBe(true);
    expect(existsSync(old)).toBe(false);
  });
});

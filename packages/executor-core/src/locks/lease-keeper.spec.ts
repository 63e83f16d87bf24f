import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { Clock } from '../ports/clock';
import { createLeaseKeeper } from './lease-keeper';

/** Timers that fire when told to. */
class HandClock implements Clock {
  readonly timers = new Map<() => void, number>();
  now = (): number => 0;
  after = (delayMs: number, callback: () => void): (() => void) => {
    this.timers.set(callback, delayMs);
    return () => this.timers.delete(callback);
  };
  fire(): void {
    for (const callback of [...this.timers.keys()]) {
      this.timers.delete(callback);
      callback();
    }
  }
}

let folder: string;
let path: string;
const touched: Promise<boolean>[] = [];
const fs = {
  ...nodeFileSystem(),
  touch: (name: string): Promise<boolean> => {
    const done = nodeFileSystem().touch(name);
    touched.push(done);
    return done;
  },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keeper-'));
  path = join(folder, 'lease');
  writeFileSync(path, '');
  utimesSync(path, 0, 0);
  touched.length = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function beat(clock: HandClock): Promise<number> {
  const before = touched.length;
  clock.fire();
  await Promise.allSettled(touched);
  return touched.length - before;
}

describe('the lease keeper', () => {
  it('touches what it keeps, at every interval', async () => {
    const clock = new HandClock();
    const keeper = createLeaseKeeper(fs, clock, 250);
    keeper.keep(path);
    expect([...clock.timers.values()]).toEqual([250]);
    expect(await beat(clock)).toBe(1);
    expect(statSync(path).mtimeMs).toBeGreaterThan(0);
    expect(await beat(clock)).toBe(1);
  });

  it('does not bring back a file that has gone, and forgets it', async () => {
    const clock = new HandClock();
    const keeper = createLeaseKeeper(fs, clock, 250);
    keeper.keep(path);
    rmSync(path);
    expect(await beat(clock)).toBe(1);
    expect(await beat(clock)).toBe(0);
    expect(clock.timers.size).toBe(0);
  });

  it('leaves no timer when it keeps nothing or is stopped', () => {
    const clock = new HandClock();
    const keeper = createLeaseKeeper(fs, clock, 250);
    keeper.keep(path);
    keeper.drop(path);
    expect(clock.timers.size).toBe(0);
    keeper.keep(path);
    keeper.stop();
    expect(clock.timers.size).toBe(0);
  });

  it('goes on after a beat that failed', async () => {
    const clock = new HandClock();
    let calls = 0;
    const failing = { ...fs, touch: () => Promise.reject(new Error(`busy ${(calls += 1)}`)) };
    createLeaseKeeper(failing, clock, 250).keep(path);
    await beat(clock);
    await beat(clock);
    expect(calls).toBe(2);
  });
});

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf, nameOf, processesWith, signal } from './processes.mjs';

const FIU = '/usr/lib/fiu/fiu_posix_preload.so';
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/**
 * What can happen to a run: `[weight, fault]`. A fault takes the engine's pid and the scene (`root`,
 * `random`, `disk`) and tells whether the engine is meant to be dead now.
 */
export const FAULTS = [
  [6, { name: 'kill -9 of the engine', strike: killEngine }],
  [3, { name: 'kill -9 of everything', strike: killEverything }],
  [2, { name: 'kill -9 of an agent', strike: killAgent }],
  [3, { name: 'kill -9 of its git processes', strike: killGit }],
  [1, { name: 'SIGSTOP of the engine', strike: stopEngine }],
];

/** Only on a disk of our own. */
export const DISK_FAULTS = [[4, { name: 'a full disk', strike: fillDisk }]];

/** Environment under which now and then a read or write of the engine, its gits and agents fails (EIO …). */
export function failingDisk() {
  if (!existsSync(FIU)) return null;
  const enable = 'enable_random name=posix/io/rw/*,probability=0.002';
  return { LD_PRELOAD: FIU, FIU_ENABLE: enable };
}

/** Environment under which the time is what `file` says, and a function that makes it jump. */
export function jumpingClock(file, random) {
  if (!existsSync(FAKETIME)) return null;
  const jump = () => writeFileSync(file, `${random.int(0, 1) ? '+' : '-'}${random.int(1, 7200)}\n`);
  jump();
  const env = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return { env, jump };
}

function killEngine(pid) {
  signal(pid, 'SIGKILL');
  return true;
}

function killEverything(pid, { root }) {
  const all = [pid, ...childrenOf(pid), ...processesWith(`PARALLEL_ROOT=${root}`)];
  for (const one of all) signal(one, 'SIGKILL');
  return true;
}

function killAgent(_pid, { root, random }) {
  const agents = processesWith(`PARALLEL_ROOT=${root}`);
  if (agents.length > 0) signal(agents[random.int(0, agents.length - 1)], 'SIGKILL');
  return false;
}

/** Its helpers that stay, and what they started. */
function killGit(pid, { root }) {
  const agents = new Set(processesWith(`PARALLEL_ROOT=${root}`));
  for (const child of childrenOf(pid)) {
    for (const one of [child, ...childrenOf(child)])
      if (/^(?:git|sh)$/.test(nameOf(one)) && !agents.has(one)) signal(one, 'SIGKILL');
  }
  return false;
}

async function stopEngine(pid, { random }) {
  signal(pid, 'SIGSTOP');
  await delay(random.int(500, 4000));
  signal(pid, 'SIGCONT');
  return false;
}

/** Fills the disk to the last byte for a while. */
async function fillDisk(_pid, { disk, random }) {
  const filler = join(disk, 'filler');
  for (let size = 2 ** 22; size >= 512; size /= 2) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full for blocks of this size; smaller ones may still fit.
    }
  }
  await delay(random.int(300, 2500));
  rmSync(filler, { force: true });
  return false;
}

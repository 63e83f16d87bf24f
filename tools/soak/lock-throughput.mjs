/**
 * How fast leases are: 25 processes take and give back 200 leases each (1 or 2 written and up to 2
 * read packages out of 40, all or nothing), beside raw proper-lockfile on one file and beside the
 * store within one process. Afterwards every pair of leases that were held at the same time is checked
 * for a conflict; exit 1 when there is one, or when a process failed.
 * Usage: npm run soak:throughput -- [--processes 25] [--operations 200]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import lockfile from 'proper-lockfile';
import { now, openStore, option, quantile, requestFor, startAll } from './lock-store.mjs';

const PACKAGES = 40;
/** The best settings found for it; the default ones fail a fifth of the calls. */
const RAW_RETRIES = {
  forever: true,
  retries: 12,
  factor: 1.5,
  minTimeout: 1,
  maxTimeout: 50,
  randomize: true,
};

/** Repeatable randomness, so that two runs ask for the same things. */
function random(seed) {
  let state = seed + 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

function somePackages(pick, count) {
  return Array.from({ length: count }, () => `packages/p${pick(PACKAGES)}/**`);
}

/** Takes and gives back; resolves with what was held when, in ms of the shared clock. */
async function useLeases(store, seed, operations) {
  const pick = random(seed);
  const held = [];
  const total = { wait: [], cpu: process.cpuUsage() };
  for (let at = 0; at < operations; at += 1) {
    const access = { writes: somePackages(pick, 1 + pick(2)), reads: somePackages(pick, pick(3)) };
    const asked = now();
    const answer = await store.acquire(requestFor(`t${seed}-${at}`, access), {
      timeoutMs: 120_000,
    });
    if (!answer.granted) throw new Error(`no lease: ${answer.reason}`);
    const from = now();
    held.push({ ...access, from, until: now() });
    total.wait.push(from - asked);
    await store.release(answer.lease.token);
  }
  const finished = now();
  const { user, system } = process.cpuUsage(total.cpu);
  return { held, wait: total.wait, finished, cpuMs: (user + system) / 1000 };
}

async function useLockfile(folder, operations) {
  const file = join(folder, 'raw');
  const cpu = process.cpuUsage();
  const wait = [];
  const held = [];
  for (let at = 0; at < operations; at += 1) {
    const asked = now();
    const unlock = await lockfile.lock(file, { retries: RAW_RETRIES });
    const from = now();
    held.push({ writes: ['raw'], reads: [], from, until: now() });
    wait.push(from - asked);
    await unlock();
  }
  const { user, system } = process.cpuUsage(cpu);
  return { held, wait, finished: now(), cpuMs: (user + system) / 1000 };
}

/** Pairs that were held at once although one wrote what the other had. */
function overlaps(all) {
  const held = all.toSorted((a, b) => a.from - b.from);
  let active = [];
  let found = 0;
  for (const one of held) {
    active = active.filter((other) => other.until > one.from);
    const clash = (a, b) =>
      a.writes.some((glob) => b.writes.includes(glob) || b.reads.includes(glob));
    found += active.filter((other) => clash(one, other) || clash(other, one)).length;
    active.push(one);
  }
  return found;
}

async function measure(mode, processes, operations) {
  const folder = mkdtempSync(join(tmpdir(), 'parallel-locks-'));
  writeFileSync(join(folder, 'raw'), '');
  const file = fileURLToPath(import.meta.url);
  const args = (at) => ['--worker', mode, folder, String(at), String(operations)];
  const children = await startAll(file, processes, args);
  const started = now();
  const answers = await Promise.all(
    children.map(async (child) => {
      child.send('go');
      // Comes after the last message, which the exit need not.
      const ended = once(child, 'disconnect').then(() => null);
      return Promise.race([once(child, 'message').then(([result]) => result), ended]);
    }),
  );
  for (const child of children) if (child.connected) child.send('end');
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  rmSync(folder, { recursive: true, force: true });
  const done = answers.filter((answer) => answer !== null);
  const seconds = (Math.max(...done.map(({ finished }) => finished)) - started) / 1000;
  const wait = done.flatMap((answer) => answer.wait).sort((a, b) => a - b);
  return {
    what: mode === 'raw' ? 'raw proper-lockfile' : 'leases',
    processes,
    operations: wait.length,
    'per s': Math.round(wait.length / seconds),
    'wait p50 ms': quantile(wait, 0.5).toFixed(1),
    'p99 ms': quantile(wait, 0.99).toFixed(1),
    'max ms': (wait.at(-1) ?? 0).toFixed(1),
    'CPU ms each': (done.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / wait.length).toFixed(2),
    'busiest CPU ms': Math.round(Math.max(...done.map(({ cpuMs }) => cpuMs))),
    overlaps: overlaps(done.flatMap(({ held }) => held)),
    failed: processes - done.length,
  };
}

/** What one acquire and release costs a process that is alone, as `parallel-cli run` is. */
async function alone(operations) {
  const folder = mkdtempSync(join(tmpdir(), 'parallel-locks-'));
  const store = openStore(folder);
  await useLeases(store, 0, 20);
  const { cpuMs, wait, held } = await useLeases(store, 1, operations);
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  const sorted = wait.sort((a, b) => a - b);
  return {
    'acquire and release in one process': held.length,
    'CPU ms each': (cpuMs / operations).toFixed(2),
    'wait p50 ms': quantile(sorted, 0.5).toFixed(2),
    'p99 ms': quantile(sorted, 0.99).toFixed(2),
  };
}

if (process.argv[2] === '--worker') {
  const [mode, folder, seed, operations] = process.argv.slice(3);
  const store = mode === 'raw' ? null : openStore(folder);
  process.send('ready');
  await once(process, 'message');
  const result =
    store === null
      ? await useLockfile(folder, Number(operations))
      : await useLeases(store, Number(seed), Number(operations));
  process.send(result);
  // Whoever leads stays for the others, as a run does for its agents.
  await once(process, 'message');
  await store?.close();
  process.disconnect();
} else {
  const processes = option('processes', 25);
  const operations = option('operations', 200);
  const raw = await measure('raw', processes, operations);
  const leases = await measure('leases', processes, operations);
  console.table([raw, leases]);
  console.table([await alone(operations)]);
  process.exitCode = [raw, leases].every((row) => row.overlaps + row.failed === 0) ? 0 : 1;
}

/**
 * How fast leases are: 25 processes take and give back 200 leases each (1 or 2 written and up to 2
 * read packages out of 40, all or nothing), beside raw proper-lockfile on one file, beside a socket that
 * only answers (see bare-socket), and beside the store within one process. Afterwards every pair of
 * leases that were held at the same time is checked for a conflict; exit 1 when there is one, or when a
 * process failed. A busy machine slows all of them down alike: compare within a run. The CPU time per
 * operation, of the leader and of the rest, gives the ceilings.
 * Usage: npm run soak:throughput -- [--processes 25] [--operations 200] [--runs 1]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import lockfile from 'proper-lockfile';
import { serveBare, useBareSocket } from './bare-socket.mjs';
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
  return summary(mode, processes, answers, started);
}

const NAMES = { raw: 'raw proper-lockfile', bare: 'bare socket', leases: 'leases' };

function summary(mode, processes, answers, started) {
  const done = answers.filter((answer) => answer !== null);
  const seconds = (Math.max(...done.map(({ finished }) => finished)) - started) / 1000;
  const wait = done.flatMap((answer) => answer.wait).sort((a, b) => a - b);
  const operations = wait.length;
  // Who leads, or serves, is by far the busiest; what it does as a client is counted with it.
  const cpu = done.map(({ cpuMs }) => cpuMs).sort((a, b) => a - b);
  const leader = mode === 'raw' ? 0 : (cpu.pop() ?? 0);
  const clients = cpu.reduce((sum, ms) => sum + ms, 0);
  const all = (leader + clients) / operations;
  return {
    what: NAMES[mode],
    operations,
    'per s': Math.round(operations / seconds),
    'wait p50 ms': quantile(wait, 0.5).toFixed(1),
    'p99 ms': quantile(wait, 0.99).toFixed(1),
    'max ms': (wait.at(-1) ?? 0).toFixed(1),
    'CPU ms each: leader': (leader / operations).toFixed(3),
    clients: (clients / operations).toFixed(3),
    'ceiling: leader': leader === 0 ? '-' : Math.round(operations / (leader / 1000)),
    machine: Math.round((1000 * availableParallelism()) / all),
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

/** What a worker of this kind does, and how it ends. */
async function prepare(mode, folder, seed, operations) {
  switch (mode) {
    case 'raw':
      return { work: () => useLockfile(folder, operations), end: () => undefined };
    case 'bare':
      if (seed === 0) await serveBare(folder);
      return { work: () => useBareSocket(folder, operations), end: () => process.exit() };
    default: {
      const store = openStore(folder);
      return { work: () => useLeases(store, seed, operations), end: () => store.close() };
    }
  }
}

if (process.argv[2] === '--worker') {
  const [mode, folder, seed, operations] = process.argv.slice(3);
  const { work, end } = await prepare(mode, folder, Number(seed), Number(operations));
  process.send('ready');
  await once(process, 'message');
  process.send(await work());
  // Whoever leads stays for the others, as a run does for its agents.
  await once(process, 'message');
  await end();
  process.disconnect();
} else {
  const processes = option('processes', 25);
  const operations = option('operations', 200);
  const rows = [];
  for (let run = 0; run < option('runs', 1); run += 1) {
    const row = {};
    for (const mode of Object.keys(NAMES)) row[mode] = await measure(mode, processes, operations);
    rows.push(...Object.values(row));
    console.table(Object.values(row));
    const share = (100 * row.leases['per s']) / row.bare['per s'];
    console.log(`leases: ${share.toFixed(0)} % of the bare socket`);
  }
  console.table([await alone(operations)]);
  process.exitCode = rows.every((row) => row.overlaps + row.failed === 0) ? 0 : 1;
}

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { parseRunId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import { compileSources, MODULES } from '../testing/compiled-sources';
import { askFor, grantedOf as granted, LeaseRig, LONG_MS, queueUp } from '../testing/lease-rig';
import { takeLease as take } from '../testing/lease-rig';
import { type LeaseRequest, type LeaseStore } from './lease-store';

jest.setTimeout(30_000); // real processes on a busy machine

const run = parseRunId('PEXEC-1');
const SLOTS = Array.from({ length: 25 }, (_, index) => index + 1);

let rig: LeaseRig;
let locksDir: string;

beforeEach(() => {
  rig = new LeaseRig();
  ({ locksDir } = rig);
});
afterEach(() => rig.done());

const open: LeaseRig['open'] = (more) => rig.open(more);
const openAs = (
  pid: number,
  ttlMs: number,
  isAlive: (identity: ProcessIdentity) => boolean,
): LeaseStore => rig.openAs(pid, isAlive, { ttlMs });
const tableDir = (): string => rig.tableDir();
const recordFiles = (): readonly string[] => rig.records();

/** With any slot. */
function ask(
  task: string,
  writes: readonly string[],
  more: Partial<LeaseRequest> = {},
): LeaseRequest {
  return askFor(task, writes, { slots: SLOTS, ...more });
}

describe('acquire', () => {
  it('grants 25 disjoint writers at once, each with a slot of its own', async () => {
    const store = open();
    const leases = await Promise.all(SLOTS.map((n) => take(store, ask(`t${n}`, [`dir-${n}/**`]))));
    expect(leases.map(({ slot }) => slot ?? 0).sort((a, b) => a - b)).toEqual(SLOTS);
    expect(new Set(leases.map(({ token }) => token)).size).toBe(25);
    expect(recordFiles()).toHaveLength(25);
  });

  it('writes a lease that a person can read', async () => {
    await take(open(), ask('build', ['src/**']));
    const [name = ''] = recordFiles();
    expect(name).toMatch(/^lease-\d{10}-build\.json$/);
    expect(JSON.parse(readFileSync(join(tableDir(), name), 'utf8'))).toMatchObject({
      task: 'build',
      run,
      slot: 1,
      access: { writes: ['src/**'] },
      owner: { pid: process.pid },
    });
  });

  it('waits for a holder in another store, says for whom, and is granted on release', async () => {
    const [one, two] = [open(), open()];
    const lease = await take(one, ask('first', ['src/**']));
    const { answer, holders } = await queueUp(two, ask('second', ['src/a.ts']));
    expect(holders).toEqual(['first (agent-1)']);
    const released = performance.now();
    await one.release(lease.token);
    expect(granted(await answer).token).toBeGreaterThan(lease.token);
    expect(performance.now() - released).toBeLessThan(1_000);
    await rig.recordsBecome(1);
  });

  it('serves conflicting requests of several stores in the order they came', async () => {
    const all = [open(), open(), open()];
    const first = await take(open(), ask('t0', ['a']));
    const order: string[] = [];
    const done: Promise<void>[] = [];
    for (const [at, store] of all.entries()) {
      const { answer } = await queueUp(store, ask(`t${at + 1}`, ['a']));
      done.push(
        answer.then(async (value) => {
          const { task, token } = granted(value);
          order.push(task);
          await store.release(token);
        }),
      );
    }
    await open().release(first.token);
    await Promise.all(done);
    expect(order).toEqual(['t1', 't2', 't3']);
  });

  it('hands a slot on while the accesses stay taken', async () => {
    const [one, two] = [open(), open()];
    const slots = [7];
    const lease = await take(one, ask('first', ['a'], { slots }));
    const { answer, holders } = await queueUp(two, ask('second', ['b'], { slots }));
    expect(holders).toEqual(['first (agent-7)']);
    expect(await one.releaseSlot(lease.token)).toBe(true);
    expect(granted(await answer).slot).toBe(7);
    expect(await one.isCurrent(lease.token)).toBe(true);
    const refused = await two.acquire(ask('third', ['a']), { timeoutMs: 0 });
    expect(refused).toEqual({ granted: false, reason: 'timeout', holders: ['first'] });
  });

  it('tries once when there is no time to wait', async () => {
    const store = open();
    const lease = granted(await store.acquire(ask('first', ['a']), { timeoutMs: 0 }));
    const answer = await store.acquire(ask('second', ['a']), { timeoutMs: 0 });
    expect(answer).toMatchObject({ granted: false, reason: 'timeout' });
    expect(recordFiles()).toEqual([`lease-${String(lease.token).padStart(10, '0')}-first.json`]);
  });

  it('leaves no wait file behind when its time is up', async () => {
    const store = open();
    await take(store, ask('first', ['a']));
    const answer = await store.acquire(ask('second', ['a']), { timeoutMs: 150 });
    expect(answer).toEqual({ granted: false, reason: 'timeout', holders: ['first (agent-1)'] });
    expect(recordFiles()).toHaveLength(1);
  });

  it('leaves no wait file behind when it is aborted, at whatever moment', async () => {
    const store = open();
    await take(store, ask('first', ['a']));
    const early = AbortSignal.abort();
    const answers = [store.acquire(ask('t0', ['a']), { timeoutMs: LONG_MS, signal: early })];
    for (let n = 1; n <= 10; n++) {
      const abort = new AbortController();
      answers.push(
        store.acquire(ask(`t${n}`, ['a']), {
          timeoutMs: LONG_MS,
          signal: abort.signal,
          onWaiting: () => {
            abort.abort();
          },
        }),
      );
      if (n % 2 === 0)
        setImmediate(() => {
          abort.abort();
        });
    }
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ granted: false, reason: 'aborted' });
    }
    expect(recordFiles()).toHaveLength(1);
  });

  it('lets the next in line in when the one before it gives up', async () => {
    const store = open();
    await take(store, ask('first', ['a']));
    const abort = new AbortController();
    const { answer: impatient } = await queueUp(store, ask('second', ['a', 'b']), abort.signal);
    const { answer } = await queueUp(open(), ask('third', ['b']));
    abort.abort();
    expect(await impatient).toMatchObject({ reason: 'aborted' });
    expect(granted(await answer).task).toBe('third');
  });

  it('gives no slot to a request that wants none, even when all are taken', async () => {
    const store = open();
    await take(store, ask('first', ['a'], { slots: [1] }));
    expect((await take(store, ask('second', ['b'], { slots: [] }))).slot).toBeNull();
    const answer = await store.acquire(ask('third', ['b'], { slots: [] }), { timeoutMs: 0 });
    expect(answer).toMatchObject({ granted: false, holders: ['second'] });
  });

  it('rejects when the table cannot be written', async () => {
    const fs = { ...nodeFileSystem(), writeAtomic: () => Promise.reject(new Error('disk full')) };
    const answer = open({ fs }).acquire(ask('first', ['a']), { timeoutMs: LONG_MS });
    await expect(answer).rejects.toThrow('disk full');
  });

  it('is over, as aborted, when the store is closed', async () => {
    const store = open();
    await take(store, ask('first', ['a']));
    const { answer } = await queueUp(store, ask('second', ['a']));
    await store.close();
    expect(await answer).toMatchObject({ granted: false, reason: 'aborted' });
    expect(await store.acquire(ask('third', ['c']), { timeoutMs: 0 })).toMatchObject({
      reason: 'aborted',
    });
    expect(recordFiles()).toHaveLength(1);
  });
});

describe('tokens', () => {
  it('grow over restarts and over the loss of every lease file', async () => {
    const first = await take(open(), ask('first', ['a']));
    for (const name of recordFiles()) rmSync(join(tableDir(), name));
    const second = await take(open(), ask('second', ['a']));
    expect(second.token).toBeGreaterThan(first.token);
  });

  it('are current until they are released, and release may be repeated', async () => {
    const store = open();
    const { token } = await take(store, ask('first', ['a']));
    expect(await store.isCurrent(token)).toBe(true);
    await Promise.all([store.releaseSlot(token), store.release(token), store.release(token)]);
    expect(await store.isCurrent(token)).toBe(false);
    expect(await store.releaseSlot(token)).toBe(false);
    await rig.recordsBecome(0);
  });

  it('of another process are not current here, and cannot be released here', async () => {
    const other = openAs(999_999, 60_000, () => true);
    const { token } = await take(other, ask('first', ['a']));
    const store = open();
    expect(await store.isCurrent(token)).toBe(false);
    await store.release(token);
    expect(await other.isCurrent(token)).toBe(true);
  });
});

describe('a store that is closed', () => {
  it('has removed what was given back, and still gives back', async () => {
    const [leader, store] = [open(), open()];
    await take(leader, ask('first', ['x']));
    const [a, b] = [await take(store, ask('a', ['a'])), await take(store, ask('b', ['b']))];
    await store.release(a.token);
    await store.close();
    expect(recordFiles()).toHaveLength(2);
    await store.release(b.token);
    expect(recordFiles()).toHaveLength(1);
  });
});

describe('takeover', () => {
  it('fences a living but silent holder: its token is old, the next one is greater', async () => {
    const alive = (): boolean => true;
    const silent = openAs(999_998, 300, alive);
    const old = await take(silent, ask('first', ['a']));
    await silent.close(); // no more heartbeats
    const store = openAs(999_999, 300, alive);
    const lease = await take(store, ask('second', ['a']));
    expect(lease.token).toBeGreaterThan(old.token);
    expect(await silent.isCurrent(old.token)).toBe(false);
    expect(await silent.releaseSlot(old.token)).toBe(false);
    await silent.release(old.token);
    expect(await store.isCurrent(lease.token)).toBe(true);
    expect(readdirSync(join(locksDir, 'fenced'))).toHaveLength(1);
  });

  it('lets a living holder that beats keep its lease for many times to live', async () => {
    const alive = (): boolean => true;
    const holder = openAs(999_998, 300, alive);
    const { token } = await take(holder, ask('first', ['a']));
    const rival = openAs(999_999, 300, alive);
    const answer = await rival.acquire(ask('second', ['a']), { timeoutMs: 1_500 });
    expect(answer).toMatchObject({ granted: false, reason: 'timeout' });
    expect(await holder.isCurrent(token)).toBe(true);
  });

  it('files a wait again that was swept by mistake', async () => {
    const store = open();
    const { token } = await take(store, ask('first', ['a']));
    const { answer } = await queueUp(store, ask('second', ['a']));
    while (!recordFiles().some((name) => name.startsWith('wait-'))) await new Promise(setImmediate);
    for (const name of recordFiles()) {
      if (name.startsWith('wait-')) rmSync(join(tableDir(), name));
    }
    await store.release(token);
    expect(granted(await answer).task).toBe('second');
  });
});

describe('list', () => {
  it('shows leases and waiters without taking part', async () => {
    const store = open();
    await take(store, ask('first', ['a']));
    await queueUp(store, ask('second', ['a']));
    while (!recordFiles().some((name) => name.startsWith('wait-'))) await new Promise(setImmediate);
    const { leases, waiters } = await open().list();
    expect(leases.map(({ task }) => task)).toEqual(['first']);
    expect(waiters.map(({ task }) => task)).toEqual(['second']);
  });

  it('is empty before there is a table', async () => {
    expect(await open().list()).toEqual({ leases: [], waiters: [] });
  });
});

describe('tokens', () => {
  it('are those of all leases, whoever holds them, and of nothing that was given back', async () => {
    const [mine, other] = [open(), openAs(4711, 60_000, () => true)];
    const first = await take(mine, ask('first', ['a']));
    const second = await take(other, ask('second', ['b']));
    await queueUp(mine, ask('third', ['a']));
    const both = new Set([first.token, second.token]);
    expect(await mine.tokens()).toEqual(both);
    expect(await open().tokens()).toEqual(both);
    await mine.release(first.token);
    expect((await mine.tokens()).has(first.token)).toBe(false);
  });
});

describe('several processes', () => {
  const CHILD = `
    const { createLeaseStore } = require('./locks/lease-store.js');
    const { lockfileMutex } = require('./adapters/lockfile-mutex.js');
    const { nodeClock } = require('./adapters/node-clock.js');
    const { nodeFileSystem } = require('./adapters/node-file-system.js');
    const { nodeQuickFiles } = require('./adapters/node-quick-files.js');
    const { localChannel } = require('./adapters/local-channel.js');
    const { nodeProcesses } = require('./adapters/node-processes.js');
    const fs = require('node:fs');
    const processes = nodeProcesses();
    const store = createLeaseStore({
      fs: nodeFileSystem(), clock: nodeClock(), mutex: lockfileMutex(processes), processes,
      locksDir: process.argv[2], quick: nodeQuickFiles(), channel: localChannel(),
    });
    let violations = 0;
    let stopped = false;
    // One holder at a time: the sentinel names a process, and a living one may not be there.
    async function hold(request, sentinel) {
      const { lease } = await store.acquire(request, { timeoutMs: 30000 });
      if (fs.existsSync(sentinel)) {
        if (processes.identify(Number(fs.readFileSync(sentinel, 'utf8'))) !== null) violations++;
        fs.rmSync(sentinel, { force: true });
      }
      try { fs.writeFileSync(sentinel, String(process.pid), { flag: 'wx' }); } catch { violations++; }
      process.send({ token: lease.token });
      await new Promise(setImmediate);
      fs.rmSync(sentinel, { force: true });
      await store.release(lease.token);
    }
    process.on('message', async ({ request, sentinel, stop }) => {
      if (stop) { stopped = true; return; }
      if (sentinel === undefined) {
        const { lease } = await store.acquire(request, { timeoutMs: 30000 });
        process.send({ token: lease.token });
        return;
      }
      while (!stopped) await hold(request, sentinel);
      process.send({ violations });
    });
  `;
  const children = new Set<ChildProcess>();
  let compiled: string;

  beforeAll(() => {
    compiled = mkdtempSync(join(tmpdir(), 'leases-child-'));
    compileSources(compiled, ['adapters', 'locks', 'graph', 'ports', 'model']);
    writeFileSync(join(compiled, 'child.js'), CHILD);
  });
  afterAll(() => {
    rmSync(compiled, { recursive: true, force: true });
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  interface Report {
    readonly token?: number;
    readonly violations?: number;
  }

  function start(): ChildProcess {
    const child = fork(join(compiled, 'child.js'), [locksDir], {
      env: { ...process.env, NODE_PATH: MODULES },
      execArgv: [],
    });
    children.add(child);
    return child;
  }

  it('pass the lease of a killed holder on within a second', async () => {
    const holder = start();
    const told = once(holder, 'message') as Promise<[Report]>;
    holder.send({ request: ask('first', ['a']) });
    const [{ token = Infinity }] = await told;
    const store = open();
    const { answer } = await queueUp(store, ask('second', ['a/b']));
    const exited = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exited;
    const killed = performance.now();
    const lease = granted(await answer);
    expect(performance.now() - killed).toBeLessThan(1_000);
    expect(lease.token).toBeGreaterThan(token);
    expect(readdirSync(join(locksDir, 'fenced'))).toHaveLength(1);
  });

  it('never hold conflicting leases at once, whoever is killed and whenever', async () => {
    const sentinel = join(locksDir, '..', 'sentinel');
    const tokens: number[] = [];
    let kills = 0;
    let violations = 0;
    const live = new Set<ChildProcess>();
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((done) => {
      finish = done;
    });
    const spawn = (name: string): void => {
      const child = start();
      let grants = 0;
      live.add(child);
      child.on('message', (report: Report) => {
        if (report.token !== undefined) tokens.push(report.token);
        if (report.violations !== undefined) {
          violations += report.violations;
          live.delete(child);
          if (live.size === 0) finish();
        } else if ((grants += 1) === 4 && kills < 6) {
          kills += 1;
          live.delete(child);
          child.kill('SIGKILL');
          spawn(`${name}x`);
        } else if (kills === 6 && grants > 8) {
          for (const other of live) other.send({ stop: true });
        }
      });
      child.send({ request: ask(name, ['a']), sentinel });
    };
    for (const name of ['t1', 't2', 't3', 't4']) spawn(name);
    await finished;

    expect(kills).toBe(6);
    expect(violations).toBe(0);
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens.length).toBeGreaterThan(24);
    const last = await take(open(), ask('last', ['a']));
    expect(last.token).toBeGreaterThan(Math.max(...tokens));
    expect(recordFiles()).toHaveLength(1);
  }, 60_000);
});

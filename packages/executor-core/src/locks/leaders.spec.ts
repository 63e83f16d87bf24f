import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { localChannel } from '../adapters/local-channel';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { Channel, Line, LineEvents } from '../ports/channel';
import { parseRunId, parseTaskId } from '../model/ids';
import { askFor, grantedOf, LeaseRig, queueUp, takeLease } from '../testing/lease-rig';
import { LeaseLost, type LeaseStore } from './lease-store';

jest.setTimeout(30_000);

const TTL_MS = 400;
const run = parseRunId('PEXEC-1');
const alive = (): boolean => true;

let rig: LeaseRig;
beforeEach(() => {
  rig = new LeaseRig();
});
afterEach(() => rig.done());

/** A process that lives and says nothing: its heartbeats do not reach the disk. */
function silent(pid: number): LeaseStore {
  const fs = { ...nodeFileSystem(), touch: () => Promise.reject(new Error('stopped')) };
  return rig.openAs(pid, alive, { fs, ttlMs: TTL_MS });
}

/** A channel on which each message to the leader goes through `send`. */
function tapped(send: (line: Line, message: string) => void): Channel {
  const plain = localChannel();
  return {
    ...plain,
    connect: async (address, events) => {
      const line = await plain.connect(address, events);
      return (
        line && {
          close: () => {
            line.close();
          },
          send: (message) => {
            send(line, message);
          },
        }
      );
    },
  };
}

describe('the leader of the lock table', () => {
  it('may go at any time: those it served and those it held up go on, in their order', async () => {
    const leader = rig.open();
    const first = await takeLease(leader, askFor('first', ['a']));
    const others = [rig.open(), rig.open()];
    const order: string[] = [];
    const done = [];
    for (const [at, store] of others.entries()) {
      const { answer } = await queueUp(store, askFor(`t${at}`, ['a']));
      done.push(
        answer.then(async (value) => {
          const { task, token } = grantedOf(value);
          expect(token).toBeGreaterThan(first.token);
          order.push(task);
          await store.release(token);
        }),
      );
    }
    while (rig.records().length < 3) await new Promise(setImmediate);
    await leader.release(first.token);
    await leader.close();
    await Promise.all(done);
    expect(order).toEqual(['t0', 't1']);
    await rig.recordsBecome(0);
  });

  it('leaves nothing but the table and its counter when everybody has gone', async () => {
    const store = rig.open();
    const { token } = await takeLease(store, askFor('t', ['a']));
    await store.release(token);
    await store.close();
    expect(readdirSync(rig.locksDir)).toEqual(['leases-1']);
    expect(readdirSync(rig.tableDir())).toEqual(['counter']);
  });

  it('steps down when it has no business, without being closed', async () => {
    const store = rig.open();
    const { token } = await takeLease(store, askFor('t', ['a']));
    await store.release(token);
    while (readdirSync(rig.locksDir).length > 1) await new Promise(setImmediate);
    await takeLease(store, askFor('u', ['a']));
    expect(rig.records()).toHaveLength(1);
  });

  it('that is silent loses the table, and can write nothing to it any more', async () => {
    const old = silent(999_997);
    const held = await takeLease(old, askFor('held', ['a']));
    const next = rig.openAs(999_998, alive, { ttlMs: TTL_MS });
    const lease = await takeLease(next, askFor('next', ['a']));
    expect(lease.token).toBeGreaterThan(held.token);
    expect(readdirSync(rig.locksDir)).not.toContain('leases-1');
    expect(await old.isCurrent(held.token)).toBe(false);
    // It finds out, and asks the new leader like everybody else.
    const refused = await old.acquire(askFor('again', ['a']), { timeoutMs: 0 });
    expect(refused).toMatchObject({ granted: false, holders: ['next'] });
    const later = await takeLease(old, askFor('other', ['b']));
    expect(later.token).toBeGreaterThan(lease.token);
  });

  it('that lives and cannot be reached is asked to step down', async () => {
    await takeLease(rig.open(), askFor('first', ['a']));
    const deaf: Channel = { ...localChannel(), connect: () => Promise.resolve(null) };
    await takeLease(rig.open({ channel: deaf }), askFor('second', ['b']));
    expect(rig.records()).toHaveLength(2);
  });

  it('gives a request that is made again what it was given before', async () => {
    const leader = rig.open();
    await takeLease(leader, askFor('leads', ['x']));
    let lost = 0;
    // The first answer is lost, and the line with it.
    const channel: Channel = {
      ...localChannel(),
      connect: (address, events) => {
        const lossy: LineEvents = {
          onClose: () => {
            events.onClose();
          },
          onMessage: (message) => {
            if (lost > 0 || !message.includes('granted')) events.onMessage(message);
            else {
              lost += 1;
              void line.then((one) => one?.close());
            }
          },
        };
        const line = localChannel().connect(address, lossy);
        return line;
      },
    };
    const store = rig.open({ channel });
    const { token } = await takeLease(store, askFor('t', ['a']));
    expect(lost).toBe(1);
    expect(rig.records().filter((name) => name.endsWith('-t.json'))).toHaveLength(1);
    await store.release(token);
    await rig.recordsBecome(1);
  });

  it('that goes before it has removed what was given back leaves that to the owner', async () => {
    const leader = rig.open();
    await takeLease(leader, askFor('leads', ['x']));
    // Nothing that is given back gets through, and the line breaks.
    const channel = tapped((line, message) => {
      if (message.includes('released')) line.close();
      else line.send(message);
    });
    const store = rig.open({ channel });
    const { token } = await takeLease(store, askFor('t', ['a']));
    const { answer } = await queueUp(leader, askFor('u', ['a']));
    await store.release(token);
    expect(await store.isCurrent(token)).toBe(false);
    expect(grantedOf(await answer).task).toBe('u');
    await rig.recordsBecome(2);
  });

  it('takes back only from the owner', async () => {
    const holder = rig.openAs(999_993, alive);
    const { token } = await takeLease(holder, askFor('t', ['a']));
    const thief = tapped((line, message) => {
      line.send(message);
      line.send(JSON.stringify({ op: 'released', token }));
    });
    await takeLease(rig.open({ channel: thief }), askFor('u', ['b']));
    expect(await holder.isCurrent(token)).toBe(true);
    expect(rig.records()).toHaveLength(2);
  });

  it('finds its table again when a person has removed every file of it', async () => {
    const store = rig.open();
    const { token } = await takeLease(store, askFor('t', ['a']));
    for (const name of rig.records()) rmSync(join(rig.tableDir(), name));
    expect(await store.isCurrent(token)).toBe(false);
    const other = await rig.open().acquire(askFor('u', ['a']), { timeoutMs: 0 });
    expect(other).toMatchObject({ granted: true });
  });
});

describe('counted resources', () => {
  const gpu = (amount: number) => ({
    resources: [{ id: 'gpu', exclusive: false, amount, capacity: 3 }],
  });

  it('are shared between processes as far as they go', async () => {
    const [one, two] = [rig.open(), rig.open()];
    const first = await takeLease(one, askFor('t1', [], gpu(2)));
    await takeLease(two, askFor('t2', [], gpu(1)));
    const { answer, holders } = await queueUp(two, askFor('t3', [], gpu(2)));
    expect(holders).toEqual(['t1', 't2']);
    await one.release(first.token);
    expect(grantedOf(await answer).task).toBe('t3');
  });
});

describe('more write room', () => {
  it('is granted by any process if nobody else holds it, and belongs to the lease', async () => {
    const [holder, other] = [rig.open(), rig.open()];
    const { token } = await takeLease(holder, askFor('t', ['a']));
    const agent = rig.open();
    expect(await agent.tokenOf(run, parseTaskId('t'))).toBe(token);
    expect(await agent.widen(token, ['b/**', 'c'])).toEqual({ granted: true });
    expect(await holder.writesOf(token)).toEqual(['a', 'b/**', 'c']);
    await agent.close();

    const { answer, holders } = await queueUp(other, askFor('u', ['b/x']));
    expect(holders).toEqual(['t']);
    await holder.release(token);
    await holder.close();
    grantedOf(await answer);
    expect(rig.records()).toHaveLength(1);
    expect(await other.writesOf(token)).toBeNull();
  });

  it('is refused at once, with the holders, when somebody has it', async () => {
    const [holder, other] = [rig.open(), rig.open()];
    const { token } = await takeLease(holder, askFor('t', ['a']));
    await takeLease(other, askFor('u', ['b/**'], { slots: [2] }));
    expect(await holder.widen(token, ['b/x', 'c'])).toEqual({
      granted: false,
      holders: ['u (agent-2)'],
    });
    expect(await holder.writesOf(token)).toEqual(['a']);
  });

  it('is granted over a dead holder, and survives the leader', async () => {
    const dead = 999_996;
    const isAlive = ({ pid }: { readonly pid: number }): boolean => pid !== dead;
    const [gone, holder] = [rig.openAs(dead, isAlive), rig.openAs(999_995, isAlive)];
    await takeLease(gone, askFor('u', ['b']));
    await gone.close();
    const { token } = await takeLease(holder, askFor('t', ['a']));
    const agent = rig.openAs(999_994, isAlive);
    expect(await agent.widen(token, ['b'])).toEqual({ granted: true });
    await holder.close();
    const answer = await agent.acquire(askFor('v', ['b']), { timeoutMs: 0 });
    expect(answer).toMatchObject({ granted: false, holders: ['t'] });
  });

  it('cannot be had for a lease that is lost', async () => {
    const store = rig.open();
    const { token } = await takeLease(store, askFor('t', ['a']));
    await store.release(token);
    await expect(store.widen(token, ['b'])).rejects.toThrow(LeaseLost);
    expect(await store.tokenOf(run, parseTaskId('t'))).toBeNull();
  });
});

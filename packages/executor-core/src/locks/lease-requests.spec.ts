import { askFor } from '../testing/lease-rig';
import type { Ask } from './ask';
import type { LeaseName, LeaseRecord } from './lease-record';
import type { Granted, ToLeader } from './leader-messages';
import { parseFromLeader, parseToLeader } from './leader-messages';
import { LeaseRequests } from './lease-requests';

const owner = { pid: 1, startTime: '1', bootId: 'b', host: 'h' };

/** Requests whose leader is the test; timers fire when told to. */
class Bench {
  readonly said: ToLeader[] = [];
  readonly granted: LeaseRecord[] = [];
  readonly unwanted: LeaseName[] = [];
  readonly forgotten: Pick<Ask, 'ticket' | 'task'>[] = [];
  leaderIsThere = true;
  private readonly timers = new Map<() => void, number>();
  readonly requests = new LeaseRequests({
    self: owner,
    ttlMs: 1_000,
    clock: {
      now: () => 5,
      after: (delayMs, callback) => {
        this.timers.set(callback, delayMs);
        return () => this.timers.delete(callback);
      },
    },
    send: (message) => {
      if (this.leaderIsThere) this.said.push(message);
      return this.leaderIsThere;
    },
    onGranted: (lease) => this.granted.push(lease),
    onUnwanted: (lease) => this.unwanted.push(lease),
    onForgotten: (wait) => this.forgotten.push(wait),
  });

  /** Fires the timers of exactly this delay. */
  fire(delayMs: number): void {
    for (const [callback, delay] of [...this.timers]) {
      if (delay !== delayMs) continue;
      this.timers.delete(callback);
      callback();
    }
  }

  get timersLeft(): number {
    return this.timers.size;
  }

  lastAsk(): Ask {
    const message = this.said.findLast(({ op }) => op === 'acquire');
    if (message?.op !== 'acquire') throw new Error('nothing was asked for');
    return message.ask;
  }

  /** The leader grants what was asked for last. */
  grant(): Granted {
    const { request, task } = this.lastAsk();
    const granted = { token: 7, task, slot: null, grantedAt: 6 };
    this.requests.hear({ op: 'granted', request, ...granted });
    return granted;
  }

  letWait(ticket = 3): void {
    const { request } = this.lastAsk();
    this.requests.hear({ op: 'waiting', request, ticket, holders: ['other'] });
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => {
  expect(bench.requests.size).toBe(0);
  expect(bench.timersLeft).toBe(0);
});

describe('a request', () => {
  it('is said to every new leader under the same name, with the place it had', async () => {
    bench.leaderIsThere = false;
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 60_000 });
    bench.leaderIsThere = true;
    bench.requests.resend();
    const first = bench.lastAsk();
    expect(first).toMatchObject({ ticket: 0, requestedAt: 5 });
    bench.letWait(3);
    bench.requests.resend();
    expect(bench.lastAsk()).toEqual({ ...first, ticket: 3 });
    bench.grant();
    expect(await answer).toMatchObject({ granted: true, lease: { token: 7 } });
    expect(bench.granted).toMatchObject([{ token: 7, task: 't', owner, ttlMs: 1_000 }]);
  });

  it('that nobody wants any more gives back what it still gets', async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 60_000, signal });
    abort.abort();
    expect(bench.said.at(-1)).toMatchObject({ op: 'withdraw' });
    const lease = bench.grant();
    expect(await answer).toMatchObject({ granted: false, reason: 'aborted' });
    expect(bench.unwanted).toMatchObject([lease]);
    bench.grant();
    expect(bench.unwanted).toHaveLength(2);
  });

  it('that is out of time is withdrawn, and keeps what comes before the answer', async () => {
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 60_000 });
    bench.letWait();
    expect(bench.timersLeft).toBe(0);
    bench.requests.tick();
    bench.requests.tick();
    bench.fire(60_000);
    const { request } = bench.lastAsk();
    expect(bench.said.at(-1)).toEqual({ op: 'withdraw', request });
    bench.grant();
    bench.requests.hear({ op: 'withdrawn', request });
    expect(await answer).toMatchObject({ granted: true });
  });

  it('does not wait for a leader that has been stopped', async () => {
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 60_000 });
    bench.letWait(3);
    bench.requests.tick();
    bench.fire(60_000);
    bench.fire(250);
    expect(await answer).toEqual({ granted: false, reason: 'timeout', holders: ['other'] });
    expect(bench.forgotten).toMatchObject([{ ticket: 3 }]);
    // The leader wakes up, and had granted it.
    const lease = bench.grant();
    expect(bench.unwanted).toMatchObject([lease]);
  });

  it('without time gets one answer, and says that it is in a hurry', async () => {
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 0 });
    expect(bench.said).toMatchObject([{ op: 'acquire', hurry: true }]);
    bench.fire(0);
    bench.letWait();
    const { request } = bench.lastAsk();
    expect(bench.said.at(-1)).toEqual({ op: 'withdraw', request });
    bench.requests.hear({ op: 'withdrawn', request });
    expect(await answer).toEqual({ granted: false, reason: 'timeout', holders: ['other'] });
  });

  it('ends with the reason when nothing can be written', async () => {
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 60_000 });
    const { request } = bench.lastAsk();
    bench.requests.hear({ op: 'failed', request, message: 'disk full' });
    await expect(answer).rejects.toThrow('disk full');
    const widened = bench.requests.widen(7, ['b']);
    bench.requests.fail(new Error('no sockets'));
    await expect(widened).rejects.toThrow('no sockets');
  });
});

describe('messages', () => {
  it('come through as they were said', async () => {
    const { answer } = bench.requests.submit(askFor('t', ['a']), { timeoutMs: 0 });
    const messages: readonly ToLeader[] = [
      ...bench.said,
      { op: 'withdraw', request: 'r' },
      { op: 'released', token: 1 },
      { op: 'slotFree', token: 1 },
      { op: 'widen', request: 'r', token: 1, writes: ['a'] },
    ];
    for (const message of messages) expect(parseToLeader(JSON.stringify(message))).toEqual(message);
    bench.grant();
    await answer;
  });

  it('that nobody of us says are none', () => {
    for (const text of [
      '',
      '{',
      'null',
      '{"op":"acquire"}',
      '{"op":"shutdown"}',
      '{"op":"released"}',
      '{"op":"withdraw"}',
    ]) {
      expect(parseToLeader(text)).toBeNull();
    }
    for (const text of ['', '[]', '{"op":"granted"}']) expect(parseFromLeader(text)).toBeNull();
  });
});

import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { HandClock } from '../testing/hand-clock';
import { FIXTURE_RUN, landed, planOf, runStarted, second } from '../testing/run-fixture';
import type { BarrierWaitOptions } from './barrier-wait';
import { waitAtBarrier } from './barrier-wait';
import type { RunReader } from './run-reader';

const plan = planOf(
  {
    a: { phase: 'one' },
    b: { phase: 'one' },
    c: { phase: 'two' },
    d: {},
  },
  { barrierTimeoutMs: 1000 },
  ['one', 'two', 'three'],
);
const failedTask = (task: string): RunEvent => ({
  type: 'task:failed',
  at: second(2),
  task: parseTaskId(task),
  failure: { kind: 'agent-exit', code: 3, tail: '' },
});
const deadLock: RunEvent = {
  type: 'barrier:broken',
  barrier: 'one',
  by: null,
  reason: 'every slot waits',
  at: second(2),
};

/** A journal the test writes, and who waits at it. */
class Scene {
  readonly clock = new HandClock();
  readonly journal: RunEvent[];
  readonly reports: string[] = [];
  alive = true;
  private readonly listeners = new Set<(events: readonly RunEvent[]) => void>();

  constructor(
    events: readonly RunEvent[] = [runStarted(plan)],
    private readonly of: Plan = plan,
  ) {
    this.journal = [...events];
  }

  get following(): number {
    return this.listeners.size;
  }

  push(...events: readonly RunEvent[]): void {
    this.journal.push(...events);
    for (const listener of this.listeners) listener(events);
  }

  wait(
    barrier: string,
    waiter: string | null = null,
    options: BarrierWaitOptions = {},
  ): ReturnType<typeof waitAtBarrier> {
    const reader: RunReader = {
      id: FIXTURE_RUN,
      plan: this.of,
      events: () => Promise.resolve([...this.journal]),
      follow: (listener) => {
        this.listeners.add(listener);
        listener([...this.journal]);
        return () => this.listeners.delete(listener);
      },
      problems: () => Promise.resolve([]),
      ownerAlive: () => Promise.resolve(this.alive),
      durations: () => Promise.reject(new Error('not asked for here')),
      transcripts: () => Promise.resolve([]),
    };
    const tools = { clock: this.clock, processes: { isAlive: () => this.alive } };
    const door = {
      waiter: waiter === null ? null : parseTaskId(waiter),
      report: (type: string) => {
        this.reports.push(type);
        return Promise.resolve();
      },
    };
    return waitAtBarrier(tools, reader, barrier, door, options);
  }

  /** Resolves once somebody follows the journal. */
  async followed(): Promise<void> {
    while (this.following === 0) await Promise.resolve();
  }
}

describe('waiting at a barrier', () => {
  it('ends when every task up to it has landed, and leaves nothing behind', async () => {
    const scene = new Scene();
    const waiting = scene.wait('one');
    await scene.followed();
    scene.push(...landed('a', 1));
    expect(scene.following).toBe(1);
    scene.push(...landed('b', 2));
    expect(await waiting).toMatchObject({ outcome: 'opened', reason: null, open: [] });
    expect([scene.following, scene.clock.waiting]).toEqual([0, 0]);
    expect(scene.reports).toEqual([]);
  });

  it('does not wait for what has happened, nor follow for it', async () => {
    const scene = new Scene([runStarted(plan), ...landed('a', 1), ...landed('b', 1)]);
    expect((await scene.wait('one')).outcome).toBe('opened');
    const failed = new Scene([runStarted(plan), failedTask('b')]);
    expect((await failed.wait('one')).outcome).toBe('broken');
  });

  it('waits for the phases before as well, also for a phase without tasks', async () => {
    const scene = new Scene([runStarted(plan), ...landed('c', 1)]);
    const waiting = scene.wait('three');
    await scene.followed();
    scene.push(...landed('a', 2), ...landed('b', 2));
    expect((await waiting).outcome).toBe('opened');
  });

  it('ends at once when a member will not land, and says which and why', async () => {
    const scene = new Scene();
    const waiting = scene.wait('two');
    await scene.followed();
    scene.push(failedTask('a'));
    const { outcome, reason } = await waiting;
    expect(outcome).toBe('broken');
    expect(reason).toContain('a is failed: agent exited with code 3');
  });

  it('takes no notice of a failure elsewhere', async () => {
    const scene = new Scene();
    const waiting = scene.wait('one');
    await scene.followed();
    scene.push(failedTask('c'), failedTask('d'), ...landed('a', 3), ...landed('b', 3));
    expect((await waiting).outcome).toBe('opened');
  });

  it('ends at once when the scheduler sees that it can never open', async () => {
    const scene = new Scene();
    const waiting = scene.wait('one');
    await scene.followed();
    scene.push({ ...deadLock, barrier: 'two' }, deadLock);
    expect(await waiting).toMatchObject({ outcome: 'broken', reason: 'every slot waits' });
  });

  it('forgets a break that was mended', async () => {
    const resized: RunEvent = { type: 'run:resized', maxAgents: 9, by: 'you', at: second(3) };
    const scene = new Scene([runStarted(plan), deadLock, resized, ...landed('a', 4)]);
    const waiting = scene.wait('one');
    await scene.followed();
    scene.push(...landed('b', 5));
    expect((await waiting).outcome).toBe('opened');
  });

  it('ends when the run does', async () => {
    const scene = new Scene();
    const waiting = scene.wait('one');
    await scene.followed();
    scene.push({ type: 'run:finished', outcome: 'stopped', at: second(4) });
    expect(await waiting).toMatchObject({ outcome: 'over', open: [{ task: 'a' }, { task: 'b' }] });
  });

  it('ends when the process of the run is gone, within a second', async () => {
    const scene = new Scene();
    const waiting = scene.wait('one', null, { timeoutMs: 60_000 });
    await scene.followed();
    scene.alive = false;
    scene.clock.pass(1000);
    expect((await waiting).outcome).toBe('gone');
    expect((await scene.wait('one')).outcome).toBe('gone');
  });

  it('waits on while no process of an Nx invocation happens to live', async () => {
    const scene = new Scene([{ ...runStarted(plan), frontDoor: 'nx' } as RunEvent]);
    scene.alive = false;
    const waiting = scene.wait('one', null, { timeoutMs: 5000 });
    await scene.followed();
    scene.clock.pass(4999);
    scene.push(...landed('a', 1), ...landed('b', 1));
    expect((await waiting).outcome).toBe('opened');
  });

  it("gives up after the plan's barrier_timeout and says what is open", async () => {
    const scene = new Scene();
    const waiting = scene.wait('one');
    await scene.followed();
    scene.push(...landed('a', 1));
    scene.clock.pass(1000);
    expect(await waiting).toMatchObject({
      outcome: 'timeout',
      reason: 'not landed yet: b (pending)',
      waitedMs: 1000,
    });
  });

  it('ends when the waiter goes away', async () => {
    const abort = new AbortController();
    const scene = new Scene();
    const waiting = scene.wait('one', null, { signal: abort.signal });
    await scene.followed();
    abort.abort();
    expect((await waiting).outcome).toBe('left');
    expect((await scene.wait('one', null, { signal: abort.signal })).outcome).toBe('left');
  });

  it('of an agent is told to the scheduler, from beginning to end', async () => {
    const scene = new Scene();
    const waiting = scene.wait('one', 'd');
    await scene.followed();
    expect(scene.reports).toEqual(['barrier:waiting']);
    scene.clock.pass(1000);
    await waiting;
    expect(scene.reports).toEqual(['barrier:waiting', 'barrier:left']);
  });

  it('for itself ends at once', async () => {
    const answer = await new Scene().wait('two', 'a');
    expect(answer).toMatchObject({
      outcome: 'broken',
      reason: expect.stringContaining('a, which') as unknown,
    });
  });

  it('that the plan does not have is refused with the names it has', async () => {
    await expect(new Scene().wait('four')).rejects.toMatchObject({
      kind: 'usage',
      fix: 'Its barriers are: one, two, three.',
    });
    const none = planOf({ a: {} });
    await expect(new Scene([], none).wait('one')).rejects.toMatchObject({
      fix: expect.stringContaining('no phases') as unknown,
    });
  });
});

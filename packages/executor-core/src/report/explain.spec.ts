import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { failed, landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import { whyWaiting } from './explain';
import { viewOf } from './fold';

function why(plan: Plan, id: string, events: readonly RunEvent[] = []): string {
  return whyWaiting(plan, viewOf(plan, [runStarted(plan), ...events]), parseTaskId(id));
}

describe('why a task waits', () => {
  it('names the dependencies that have not landed, with their state', () => {
    const plan = planOf({ db: {}, auth: {}, api: { dependsOn: ['db', 'auth'] } });
    expect(
      why(plan, 'api', [...started('db', 3, 0), ...started('auth', 1, 0), ...landed('auth', 1)]),
    ).toBe('api waits for db (running on agent-3).');
  });

  it('names the barrier and what is left before it', () => {
    const plan = planOf({ a: { phase: 'one' }, b: { phase: 'two' } }, {}, ['one', 'two']);
    expect(why(plan, 'b')).toBe('b waits for barrier one: 1 task to land, a (pending).');
    expect(why(plan, 'b', [...started('a', 1, 0), ...landed('a', 1)])).toBe(
      'b is ready and starts next.',
    );
  });

  it('names the holder of a conflicting lease', () => {
    const plan = planOf({
      a: { reads: [], writes: ['src/**'] },
      b: { reads: ['src/x.ts'], writes: ['doc/**'] },
      c: { reads: [], writes: ['lib/**'] },
    });
    expect(why(plan, 'b', started('a', 1, 0))).toBe(
      'b waits for the lease of a (running on agent-1).',
    );
    expect(why(plan, 'c', started('a', 1, 0))).toBe('c is ready and starts next.');
  });

  it('does not blame leases when overlapping writers may run at once', () => {
    const same = { reads: [], writes: ['src/**'] };
    const plan = planOf({ a: same, b: same }, { conflictPolicy: 'auto_merge' });
    expect(why(plan, 'b', started('a', 1, 0))).toBe('b is ready and starts next.');
  });

  it('says when a task excludes all others because it declares no writes', () => {
    const plan = planOf({
      a: {},
      b: { reads: [], writes: ['**'], writesDeclared: false },
    });
    expect(why(plan, 'b', started('a', 1, 0))).toBe(
      'b waits for the lease of a (running on agent-1) (it declares no writes, so it excludes every other task).',
    );
  });

  it('names an exclusive resource and its holder', () => {
    const staging = { resources: [{ id: 'staging-db', exclusive: true }] };
    const plan = planOf({ a: staging, b: staging });
    expect(why(plan, 'b', started('a', 2, 0))).toBe(
      'b waits for resource staging-db, held by a (running on agent-2).',
    );
  });

  it('names a limit that is used up', () => {
    const plan = planOf(
      { a: { team: 'dev' }, b: { team: 'dev' } },
      { limits: { team: { dev: 1 }, taskType: {} } },
    );
    expect(why(plan, 'b', started('a', 1, 0))).toBe('b waits for team dev: 1 of 1 at work.');
  });

  it('says when all slots are busy', () => {
    const plan = planOf({ a: {}, b: {} }, { maxAgents: 1 });
    expect(why(plan, 'b', started('a', 1, 0))).toBe('b waits for a slot: 1 of 1 are busy.');
  });

  it('says when the run is paused', () => {
    const paused: RunEvent = { type: 'run:mode', at: second(1), mode: 'paused', reason: '' };
    expect(why(planOf({ a: {} }), 'a', [paused])).toBe(
      'a waits because the run is paused; resume it to go on.',
    );
  });

  it('names the foreign holders of a lease it asked for', () => {
    const task = parseTaskId('a');
    const asked: RunEvent = { type: 'task:leasing', at: second(1), task };
    expect(why(planOf({ a: {} }), 'a', [asked])).toBe('a is taking its leases.');
    const waiting: RunEvent = {
      type: 'task:waiting',
      at: second(1),
      task,
      holders: ['landing (agent-3)'],
    };
    expect(why(planOf({ a: {} }), 'a', [asked, waiting])).toBe(
      'a waits for leases held by landing (agent-3).',
    );
  });

  it('tells how long a backoff lasts and what it follows', () => {
    const task = parseTaskId('a');
    const failure = { kind: 'try-later', tail: '' } as const;
    expect(
      why(planOf({ a: {} }), 'a', [
        ...started('a', 1, 0),
        { type: 'task:retrying', at: second(5), task, attempt: 2, retryAt: second(17), failure },
      ]),
    ).toBe('a waits 12 s before attempt 2: agent asked to be tried later (exit code 75).');
  });

  it('says so when the task does not wait at all', () => {
    const plan = planOf({ a: {} });
    expect(why(plan, 'a', started('a', 4, 0))).toBe('a is running on agent-4 (attempt 1).');
    expect(why(plan, 'a', [...started('a', 4, 0), ...landed('a', 1)])).toBe('a has landed.');
    expect(why(plan, 'a', [...started('a', 4, 0), ...failed('a', 1)])).toBe(
      'a is failed: agent exited with code 3.',
    );
    expect(why(plan, 'ghost')).toBe('The plan has no task ghost.');
  });
});

import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { failed, landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import { failureStory, whyWaiting } from './explain';
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
    const task = parseTaskId('a');
    const left = {
      type: 'task:verifying',
      at: second(1),
      task,
      attempt: 1,
      leavesSlot: true,
    } as const;
    expect(why(plan, 'a', [...started('a', 4, 0), left])).toBe('a is verifying (attempt 1).');
    expect(why(plan, 'a', [...started('a', 4, 0), ...landed('a', 1)])).toBe('a has landed.');
    expect(why(plan, 'a', [...started('a', 4, 0), ...failed('a', 1)])).toBe(
      'a is failed: agent exited with code 3.',
    );
    expect(why(plan, 'ghost')).toBe('The plan has no task ghost.');
  });
});

describe('the story of a failing task', () => {
  const plan = planOf({ a: {}, b: {} });
  const a = parseTaskId('a');
  const red = {
    kind: 'verify-failed',
    where: 'worktree',
    command: 'npm test',
    code: 1,
    tail: '',
  } as const;
  const story = (...events: readonly RunEvent[]): readonly string[] =>
    failureStory(viewOf(plan, [runStarted(plan), ...events]), a);
  const first: readonly RunEvent[] = [
    ...started('a', 1, 0),
    { type: 'task:healing', at: second(1), task: a, attempt: 1, healer: 'medic' },
    {
      type: 'task:healed',
      at: second(2),
      task: a,
      attempt: 1,
      outcome: 'fixed',
      note: 'looking\nadded the missing import\n',
    },
    {
      type: 'attempt:failed',
      at: second(3),
      task: a,
      attempt: 1,
      failure: red,
      salvage: 'refs/p/1',
    },
    { type: 'task:retrying', at: second(3), task: a, attempt: 2, retryAt: second(3), failure: red },
  ];
  const told =
    'attempt 1: verify-failed: check failed on the worktree: npm test; ' +
    'healer medic: fixed ("added the missing import"); work kept in refs/p/1';

  it('is empty while nothing has failed', () => {
    expect(story(...started('a', 1, 0))).toEqual([]);
  });

  it('tells class, reason, healer and where the work is, per attempt', () => {
    expect(story(...first)).toEqual([told, 'backoff after 1 failed attempt']);
    expect(story(...first, ...started('a', 1, 4, 2), ...failed('a', 5, 2))).toEqual([
      told,
      'attempt 2: agent-failed: agent exited with code 3; it left no work',
      'failed after 2 failed attempts: the retries of the plan are used up',
    ]);
  });

  it('tells a failure once, however often it is reported', () => {
    const [repeated] = failed('a', 5, 2);
    if (repeated === undefined) throw new Error('There is one.');
    expect(story(...first, repeated, repeated)).toHaveLength(3);
  });

  it('ends well when a later attempt landed', () => {
    expect(story(...first, ...started('a', 1, 4, 2), ...landed('a', 5, 2)).at(-1)).toBe(
      'landed with attempt 2 after 1 failed attempt',
    );
  });

  it('tells what a resolver made of a conflict as its own', () => {
    const conflict = ['a.ts'];
    const told = first.map((event) =>
      event.type === 'task:healing' ? { ...event, healer: 'judge', conflict } : event,
    );
    expect(story(...told)[0]).toContain('; resolver judge: fixed (');
  });

  it('says that the healer was cut off when it never answered', () => {
    const cut = first.filter(({ type }) => type !== 'task:healed');
    expect(story(...cut)[0]).toContain('; healer medic: cut off; ');
  });
});

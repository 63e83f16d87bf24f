import fc from 'fast-check';
import { accessConflict } from '../graph/path-overlap';
import type { Fact, RunEvent } from '../model/event';
import type { Plan } from '../model/task';
import { isHolding, isInSlot, isSettled } from '../model/task-state';
import type { TaskDraft } from '../testing/plan';
import { planOf } from '../testing/plan';
import { decide } from './decide';
import { evolve } from './evolve';
import { prepareProblem } from './problem';
import type { RunState } from './run-state';
import { initialState, isReady } from './run-state';

/** Plans of up to 14 tasks over few folders, so that conflicts, phases and chains are common. */
const plans: fc.Arbitrary<Plan> = fc
  .record({
    maxAgents: fc.integer({ min: 1, max: 5 }),
    phased: fc.boolean(),
    tasks: fc.array(
      fc.record({
        folder: fc.integer({ min: 0, max: 3 }),
        wide: fc.boolean(),
        deps: fc.array(fc.nat(), { maxLength: 3 }),
        phase: fc.integer({ min: 0, max: 2 }),
        priority: fc.constantFrom(50, 80, 95),
        milestone: fc.integer({ min: 0, max: 9 }),
      }),
      { minLength: 1, maxLength: 14 },
    ),
  })
  .map(({ maxAgents, phased, tasks }) => {
    const phases = phased ? ['p0', 'p1', 'p2'] : [];
    const phaseOf = (at: number): number => tasks[at]?.phase ?? 0;
    return planOf({
      settings: { maxAgents, retry: { maxRetries: 1, backoff: 'none', baseMs: 0, maxMs: 0 } },
      phases,
      tasks: tasks.map((task, at): TaskDraft => ({
        id: `t${at}`,
        profile: task.milestone === 0 ? null : 'shell',
        phase: phased ? `p${task.phase}` : null,
        priority: task.priority,
        writes: [task.wide ? `d${task.folder}/**` : `d${task.folder}/t${at}.ts`],
        dependsOn: [
          ...new Set(
            task.deps
              .filter(() => at > 0)
              .map((dep) => dep % Math.max(at, 1))
              .filter((dep) => !phased || phaseOf(dep) <= task.phase)
              .map((dep) => `t${dep}`),
          ),
        ],
      })),
    });
  });

/** The world around the scheduler: performs commands in an order, and with faults, chosen by `pick`. */
class World {
  state: RunState;
  readonly journal: RunEvent[] = [];
  private readonly inbox: Fact[] = [];
  private readonly freeSlots: number[];
  private token = 0;
  private now = 0;

  constructor(
    readonly plan: Plan,
    private readonly pick: (limit: number) => number,
  ) {
    this.state = initialState(prepareProblem(plan));
    this.freeSlots = Array.from({ length: plan.settings.maxAgents }, (_, at) => at + 1);
    const owner = { pid: 1, startTime: '', bootId: '', host: '' };
    this.deliver({
      type: 'run:started',
      run: 'PEXEC-1' as never,
      planFile: null,
      planDigest: '',
      base: 'b',
      target: null,
      maxAgents: plan.settings.maxAgents,
      frontDoor: 'api',
      tasks: plan.tasks.length,
      owner,
      at: 0,
    });
  }

  /** Delivers one pending fact, sometimes twice; `false` when nothing is pending. */
  step(): boolean {
    if (this.inbox.length === 0) return false;
    const [fact] = this.inbox.splice(this.pick(this.inbox.length), 1);
    if (fact === undefined) return false;
    this.deliver(fact);
    if (this.pick(5) === 0) this.deliver(fact);
    return true;
  }

  private deliver(fact: Fact): void {
    const before = this.state;
    const [state, commands] = decide(before, fact);
    this.state = state;
    this.journal.push(fact);
    this.returnSlots();
    for (const command of commands) {
      switch (command.type) {
        case 'record':
          this.journal.push(command.event);
          break;
        case 'acquire': {
          const slot = this.freeSlots.shift();
          expect(slot).toBeDefined();
          this.inbox.push({
            type: 'task:leased',
            task: command.task,
            slot: slot ?? 0,
            token: ++this.token,
            at: ++this.now,
          });
          break;
        }
        case 'start':
          this.inbox.push(this.endOfAttempt(command.task, command.attempt, command.token));
          break;
        case 'suspend':
        case 'continue':
        case 'deadline':
          break;
        case 'pass':
          this.inbox.push({
            type: 'task:landed',
            task: command.task,
            commit: null,
            tree: null,
            at: ++this.now,
          });
          break;
        case 'land':
          this.landAll();
          break;
        case 'wake':
          this.inbox.push({ type: 'timer:due', task: command.task, at: ++this.now });
          break;
        case 'free':
        case 'withdraw':
        case 'stop':
        case 'halt':
          break;
      }
    }
  }

  private endOfAttempt(task: Plan['tasks'][number]['id'], attempt: number, fence: number): Fact {
    const at = ++this.now;
    if (this.pick(4) === 0) {
      return {
        type: 'attempt:failed',
        task,
        attempt,
        failure: { kind: 'agent-exit', code: 1, tail: '' },
        salvage: null,
        at,
      };
    }
    const candidate = {
      commit: 'c',
      tree: 't',
      base: 'b',
      ref: 'r',
      fence,
      noop: false,
      files: [],
      fileCount: 0,
    };
    return { type: 'task:queued', task, attempt, candidate, at };
  }

  private landAll(): void {
    for (const task of this.plan.tasks) {
      const { name } = this.state.tasks.get(task.index);
      const pending = this.inbox.some(
        (fact) => fact.type === 'task:landed' && fact.task === task.id,
      );
      if (name === 'queued' && !pending) {
        this.inbox.push({
          type: 'task:landed',
          task: task.id,
          commit: 'c',
          tree: 't',
          at: ++this.now,
        });
      }
    }
  }

  /** A slot is free when no task in the state, and no grant on its way, has it. */
  private returnSlots(): void {
    const used = new Set<number>();
    for (const now of this.state.tasks.toArray()) if ('slot' in now) used.add(now.slot);
    for (const fact of this.inbox) if (fact.type === 'task:leased') used.add(fact.slot);
    this.freeSlots.splice(0, this.freeSlots.length);
    for (let slot = 1; slot <= this.plan.settings.maxAgents; slot += 1)
      if (!used.has(slot)) this.freeSlots.push(slot);
  }
}

function checkInvariants(world: World): void {
  const { state, plan } = world;
  const nameOf = (id: string): string =>
    state.tasks.get(plan.tasks.find((task) => task.id === id)?.index ?? -1).name;
  const holding = plan.tasks.filter((task) => isHolding(state.tasks.get(task.index)));
  const slots = holding.flatMap((task) => {
    const now = state.tasks.get(task.index);
    return isInSlot(now) && 'slot' in now ? [now.slot] : [];
  });
  expect(new Set(slots).size).toBe(slots.length);
  expect(slots.length).toBeLessThanOrEqual(plan.settings.maxAgents);
  for (const task of holding) {
    expect(task.dependsOn.map(nameOf)).toEqual(task.dependsOn.map(() => 'landed'));
    const phase = plan.phases.indexOf(task.phase ?? '');
    const earlier = plan.tasks.filter((other) => plan.phases.indexOf(other.phase ?? '') < phase);
    expect(earlier.every((other) => other.phase === null || nameOf(other.id) === 'landed')).toBe(
      true,
    );
    for (const other of holding.filter(({ index }) => index < task.index)) {
      if (task.profile !== null && other.profile !== null)
        expect(accessConflict(task.access, other.access)).toBe(false);
    }
  }
  expect(
    state.ready
      .toArray()
      .map((rank) => state.problem.order[rank])
      .sort(),
  ).toEqual(
    plan.tasks
      .map(({ index }) => index)
      .filter((index) => isReady(state, index))
      .sort(),
  );
  expect([...state.holding.toArray()].sort()).toEqual(holding.map(({ index }) => index).sort());
  expect(state.settled).toBe(
    plan.tasks.filter(({ index }) => isSettled(state.tasks.get(index))).length,
  );
}

describe('any run of any plan', () => {
  it('keeps dependencies, phases, leases and slots, and comes to its end', () => {
    fc.assert(
      fc.property(plans, fc.infiniteStream(fc.nat()), (plan, numbers) => {
        const world = new World(plan, (limit) => (numbers.next().value as number) % limit);
        let steps = 0;
        do {
          checkInvariants(world);
          steps += 1;
        } while (world.step() && steps < 2000);
        expect(world.state.outcome).not.toBeNull();
        expect(world.state.tasks.toArray().every(isSettled)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same when its journal is folded', () => {
    fc.assert(
      fc.property(plans, fc.infiniteStream(fc.nat()), (plan, numbers) => {
        const world = new World(plan, (limit) => (numbers.next().value as number) % limit);
        for (let step = 0; step < 40 && world.step(); step += 1);
        expect(world.journal.reduce(evolve, initialState(world.state.problem))).toEqual(
          world.state,
        );
      }),
      { numRuns: 200 },
    );
  });
});

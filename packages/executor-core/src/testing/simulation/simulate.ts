import { isDeepStrictEqual } from 'node:util';
import type { RunEvent } from '../../model/event';
import type { Plan } from '../../model/task';
import { isSettled } from '../../model/task-state';
import type { Report } from '../scheduler-bench';
import { canStep, step } from './agents';
import type { Core } from './core';
import { must, Violation } from './core';
import { performLanding } from './landing';
import { Random } from './random';
import { randomPlan } from './random-plan';
import { giveUp } from './reports';
import { randomRequest } from './requests';
import { World } from './world';

/** How a simulated run went. */
export interface Simulated {
  readonly seed: number;
  readonly steps: number;
  /** How many tasks ended in each state. */
  readonly ends: Readonly<Record<string, number>>;
  /** Everything that happened, in order. */
  readonly journal: readonly RunEvent[];
}

/** Most faults of a run, and of every fifth one. */
const FAULTS = 7;
const MANY_FAULTS = 40;

/**
 * Runs one plan from start to end in a world made of `seed`: the same seed gives the same run. Throws
 * `Violation`, with the seed and the history, when the scheduler breaks a rule or the run gets stuck.
 */
export function simulate(seed: number, core: Core): Simulated {
  const random = new Random(seed);
  const plan = randomPlan(random);
  let world: World | null = null;
  try {
    world = new World(core, plan);
    const steps = new Driver(world, random).run();
    // A fold costs as much as the run; crashes are checked as well.
    if (seed % 4 === 0) world.checkFold();
    return { seed, steps, ends: endsOf(world), journal: world.journal };
  } catch (error) {
    if (!(error instanceof Violation) || world === null) throw error;
    const story = `Seed ${seed}: ${error.message}\n${planText(plan)}\n${world.journal.map((event) => JSON.stringify(event)).join('\n')}`;
    throw new Violation(story);
  }
}

class Driver {
  private faults: number;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    this.faults = random.below(random.chance(20) ? MANY_FAULTS : FAULTS);
  }

  /** Until nothing can happen and nothing is asked for any more; the number of steps. */
  run(): number {
    const limit = 400 + 250 * this.world.plan.tasks.length;
    for (let steps = 0; steps < limit; steps += 1) {
      this.world.now += this.random.below(3);
      if (this.faults > 0 && this.random.chance(this.faults > FAULTS ? 12 : 4)) this.fault();
      else if (!this.act() && !this.goOn()) {
        this.world.checkEnd();
        return steps;
      }
    }
    throw new Violation(`not over after ${limit} steps`);
  }

  /** One thing that is due; `false` when nothing is. */
  private act(): boolean {
    const { world, random } = this;
    const isOver = world.state.outcome !== null;
    const asks = isOver ? [] : world.asks.filter((ask) => world.canAnswer(ask));
    const agents = world.agents.filter((agent) => canStep(world, agent));
    const due = world.timers.filter(({ at }) => at <= world.now);
    const { wanted, halted, report } = world.lander;
    const landings = report !== null || (wanted && !halted) ? 1 : 0;
    const { inbox } = world;
    const weights = [2 * inbox.length, asks.length, agents.length, due.length, landings];
    switch (this.draw(weights)) {
      case 0:
        this.deliverOne();
        return true;
      case 1:
        world.answer(random.pick(asks));
        return true;
      case 2:
        step(world, random.pick(agents), random);
        return true;
      case 3:
        this.ring();
        return true;
      case 4:
        performLanding(world, random);
        return true;
      default:
        return !isOver && this.passTime();
    }
  }

  /** A position of `weights`, as often as it weighs; -1 when nothing weighs anything. */
  private draw(weights: readonly number[]): number {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (sum === 0) return -1;
    let left = this.random.below(sum);
    return weights.findIndex((weight) => (left -= weight) < 0);
  }

  /** A report arrives, in any order; now and then it arrives again later. */
  private deliverOne(): void {
    const { world, random } = this;
    const [report] = world.inbox.splice(random.below(world.inbox.length), 1);
    if (report === undefined) return;
    if (random.chance(4)) world.zombies.push(report);
    world.deliver(report);
  }

  private ring(): void {
    const { world } = this;
    const timer = world.timers.find(({ at }) => at <= world.now);
    if (timer === undefined) return;
    world.timers = world.timers.filter((other) => other !== timer);
    world.deliver(timer.report);
  }

  private passTime(): boolean {
    const next = Math.min(...this.world.timers.map(({ at }) => at));
    if (next === Infinity) return false;
    this.world.now = Math.max(this.world.now, next);
    return true;
  }

  /** Nothing is due: a person undoes a pause, or continues a run that ended early. */
  private goOn(): boolean {
    const { world, random } = this;
    const { mode, outcome } = world.state;
    if (outcome === null && mode === 'paused') {
      world.deliver({ type: 'control:requested', request: { kind: 'resume' }, by: 'sim' });
      return true;
    }
    if (outcome === null || this.faults === 0) return false;
    this.faults -= 1;
    const isDone = world.plan.tasks.every(({ index }) => isSettled(world.state.tasks.get(index)));
    if (isDone) {
      const dead = world.plan.tasks.filter(({ index }) => {
        return world.state.tasks.get(index).name !== 'landed';
      });
      if (dead.length === 0) return false;
      const target = random.chance(30) ? 'all' : random.pick(dead).id;
      world.deliver({ type: 'control:requested', request: { kind: 'retry', target }, by: 'sim' });
    }
    world.crash(0, false);
    return true;
  }

  private fault(): void {
    const { world, random } = this;
    this.faults -= 1;
    const luck = random.below(100);
    if (luck < 20) this.crash();
    else if (luck < 42) this.arriveLate();
    else if (luck < 50) this.loseLease();
    else {
      const request = randomRequest(world, random);
      world.deliver({ type: 'control:requested', request, by: 'sim' });
    }
  }

  /** Sometimes the recovery is cut short and made again: that changes nothing (I6). */
  private crash(): void {
    const { world, random } = this;
    if (random.chance(20)) world.checkFold();
    world.crash(random.chance(50) ? random.below(6) : 0, random.chance(60));
    if (!random.chance(30)) return;
    const first = world.outline();
    world.crash(0, false);
    must(isDeepStrictEqual(world.outline(), first), () => 'a second recovery changes something');
  }

  /** A report of a process that is gone arrives, sometimes as if it were of the current attempt. */
  private arriveLate(): void {
    const { world, random } = this;
    if (world.zombies.length === 0) return;
    const [late] = world.zombies.splice(random.below(world.zombies.length), 1);
    if (late === undefined) return;
    world.deliver(random.chance(50) ? late : this.disguise(late));
  }

  /** Another process works on the task in the same run, and counts attempts for itself. */
  private disguise(report: Report): Report {
    if (report.type !== 'task:queued' && report.type !== 'attempt:failed') return report;
    if (report.type === 'attempt:failed' && report.token === undefined) return report;
    const { attempt } = this.world.state.tasks.get(this.world.indexOf(report.task));
    return { ...report, attempt };
  }

  /** A lease passes on behind an agent's back; it reports that, and perhaps its result as well. */
  private loseLease(): void {
    const { world, random } = this;
    if (world.agents.length === 0) return;
    const agent = random.pick(world.agents);
    if (agent.stop !== null || agent.suspended || agent.barrier !== null) return;
    world.leases.release(agent.token);
    world.agents = world.agents.filter((other) => other !== agent);
    world.inbox.push(giveUp(agent, { kind: 'lost-lease', token: agent.token }));
    world.zombies.push(giveUp(agent, { kind: 'agent-exit', code: 1, tail: '' }));
  }
}

function endsOf(world: World): Readonly<Record<string, number>> {
  const ends: Record<string, number> = {};
  for (const { name } of world.state.tasks.toArray()) ends[name] = (ends[name] ?? 0) + 1;
  return ends;
}

function planText({ settings, tasks, phases, agents }: Plan): string {
  const { maxAgents, failureStrategy, conflictPolicy, retry, deadlineMs, limits } = settings;
  const rows = tasks.map((task) => {
    const { id, dependsOn, phase, priority, profile, access, resources, team, taskType } = task;
    return JSON.stringify({
      id,
      dependsOn,
      phase,
      priority,
      profile,
      access,
      resources,
      team,
      taskType,
      deadline: task.deadlineMs,
    });
  });
  const head = {
    maxAgents,
    failureStrategy,
    conflictPolicy,
    retry,
    deadlineMs,
    limits,
    phases,
    agents,
  };
  return [JSON.stringify(head), ...rows].join('\n');
}

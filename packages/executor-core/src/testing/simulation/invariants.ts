import type { EventOf, Fact, RunEvent } from '../../model/event';
import type { TaskState } from '../../model/task-state';
import { isHolding, isInSlot, isSettled, isUnderWay } from '../../model/task-state';
import type { Command } from '../../schedule/command';
import type { RunState } from '../../schedule/run-state';
import { Competition } from './competition';
import { must } from './core';
import type { Rules } from './rules';

/**
 * What must hold after every turn of the scheduler, whatever happens around it. Works on the plan and
 * the state alone; it calls nothing of the scheduler.
 */
export class Invariants {
  /** Reports of a recovery come in: what is left undone is done when the run is resumed. */
  isRecovering = false;
  private readonly competition: Competition;
  private turns = 0;
  private readonly startedToken: number[];
  private readonly startedAttempt: number[];

  constructor(private readonly rules: Rules) {
    this.competition = new Competition(rules);
    this.startedToken = rules.plan.tasks.map(() => 0);
    this.startedAttempt = rules.plan.tasks.map(() => 0);
  }

  /** After the turn in which `fact` led from `before` to `after`. */
  check(before: RunState, after: RunState, commands: readonly Command[], fact: Fact): void {
    this.checkFact(before, after, fact);
    for (const command of commands) {
      if (command.type === 'record') this.checkDecision(after, command.event);
      else this.checkCommand(after, command);
    }
    this.checkTasks(before, after);
    this.competition.checkHolders(before, after);
    if (this.isRecovering) return;
    this.checkBarriers(after);
    if (after.started && after.mode === 'running' && after.outcome === null) {
      if (!this.isRunOver(after, fact.at)) {
        const asked = commands.flatMap((c) => (c.type === 'acquire' ? [this.indexOf(c.task)] : []));
        this.competition.checkNobodyForgotten(after, asked);
      }
    }
    if (after.started && after.outcome === null) {
      must(
        after.settled < this.rules.plan.tasks.length,
        () => 'all is settled and the run goes on',
      );
    }
  }

  /** The process died before it began what it journalled last: those attempts may begin anew. */
  forgetStarts(indexes: readonly number[]): void {
    for (const index of indexes) this.startedAttempt[index] = 0;
  }

  private checkFact(before: RunState, after: RunState, fact: Fact): void {
    if (fact.type === 'attempt:failed') this.checkStale(before, after, fact);
    if (fact.type === 'task:waiting') {
      const index = this.indexOf(fact.task);
      const waits = after.tasks.get(index).name === 'leasing';
      must(!waits || after.waiting.has(index), () => this.say(index, 'waits, and nobody notes it'));
    }
    if (fact.type === 'task:verifying' && fact.leavesSlot === true) {
      const index = this.indexOf(fact.task);
      const now = after.tasks.get(index);
      const sits = isInSlot(now) && now.attempt === fact.attempt;
      must(!sits, () => this.say(index, 'has left its slot and sits there'));
    }
    if (fact.type !== 'control:requested' || fact.request.kind !== 'retry') return;
    const index = this.indexOf(fact.request.target);
    if (index < 0 || before.outcome !== null || !isDeadTask(before, index)) return;
    must(!isDeadTask(after, index), () => this.say(index, 'is not tried again'));
  }

  /** A report of another attempt counts for nothing. */
  private checkStale(before: RunState, after: RunState, fact: EventOf<'attempt:failed'>): void {
    const index = this.indexOf(fact.task);
    const now = before.tasks.get(index);
    if (isHolding(now) && now.attempt === fact.attempt) return;
    const counts =
      after.spent.get(index) > before.spent.get(index) ||
      after.free.get(index) > before.free.get(index);
    must(!counts, () => this.say(index, 'is charged with the failure of another attempt'));
  }

  private checkDecision(after: RunState, event: RunEvent): void {
    if (event.type === 'barrier:opened') {
      const phase = this.rules.plan.phases.indexOf(event.barrier);
      must(this.isOpen(after, phase + 1), () => `barrier ${event.barrier} opened too early`);
    }
    if (event.type === 'run:finished' && event.outcome === 'stopped') {
      const held = after.mode === 'draining' ? after.holding : after.atWork;
      must(held.size === 0, () => 'the run ends with something under way');
    }
    if (event.type === 'task:stolen') {
      must(event.from !== event.to, () => `${event.task} was stolen from its own slot`);
    }
  }

  private checkCommand(after: RunState, command: Exclude<Command, { type: 'record' }>): void {
    if (command.type !== 'acquire' && command.type !== 'start' && command.type !== 'pass') return;
    const index = this.indexOf(command.task);
    const { task } = command;
    const unmet = (this.rules.dependencies[index] ?? []).some((d) => !hasLanded(after, d));
    must(!unmet, () => `${task} is begun before what it depends on has landed`);
    const phase = this.rules.phases[index] ?? -1;
    must(this.isOpen(after, phase), () => `${task} is begun before its phase is open`);
    if (command.type === 'acquire') {
      must(
        this.competition.roomTaken(after) <= after.maxAgents,
        () => `${task} asks, and there is no room`,
      );
      const above = command.slots.find((slot) => slot > after.maxAgents || slot < 1);
      must(above === undefined, () => `${task} asks for slot ${above ?? ''}`);
    }
    if (command.type === 'start') this.checkStart(after, index, command);
  }

  private checkStart(
    after: RunState,
    index: number,
    { token, slot, attempt }: Extract<Command, { type: 'start' }>,
  ): void {
    const { id, deadlineMs } = this.rules.task(index);
    must(token > (this.startedToken[index] ?? 0), () => `${id} is started under an old lease`);
    must(attempt > (this.startedAttempt[index] ?? 0), () => `${id} starts an attempt twice`);
    this.startedToken[index] = token;
    this.startedAttempt[index] = attempt;
    must(slot <= after.maxAgents, () => `${id} is started in slot ${slot}`);
    const others = this.inSlots(after);
    must(others.length <= after.maxAgents, () => `${others.length} tasks are at work`);
    const slots = others.map((now) => now.slot);
    must(new Set(slots).size === slots.length, () => `slot ${slot} is taken twice`);
    must(deadlineMs === null || after.firstStarts.get(index) !== null, () => `${id} has no start`);
  }

  /**
   * Tasks that changed, and every fourth time all of them: a list that is wrong stays so for a while,
   * and this is most of the cost.
   */
  private checkTasks(before: RunState, after: RunState): void {
    this.turns += 1;
    const isSweep = this.turns % 4 === 0;
    const firstDead = isSweep ? this.firstDeadPhase(after) : Infinity;
    let settled = 0;
    for (let index = 0; index < this.rules.plan.tasks.length; index += 1) {
      const was = before.tasks.get(index);
      const now = after.tasks.get(index);
      if (isSettled(now)) settled += 1;
      if (now !== was) this.checkMove(index, was, now);
      if (now !== was || isSweep) this.checkLists(after, index, now);
      if (isSweep && !this.isRecovering) this.checkBlocked(after, index, firstDead);
    }
    must(settled === after.settled, () => `${settled} are settled, not ${after.settled}`);
  }

  /** Blocked is who waits for what will not land, and nobody else. */
  private checkBlocked(after: RunState, index: number, firstDead: number): void {
    const { name } = after.tasks.get(index);
    if (name !== 'pending' && name !== 'backoff' && name !== 'blocked') return;
    const isBlocked = name === 'blocked';
    const waits = this.hasDeadAhead(after, index, firstDead);
    must(waits === isBlocked, () =>
      this.say(index, isBlocked ? 'is blocked by nobody' : 'waits for the dead'),
    );
  }

  private checkLists(after: RunState, index: number, now: TaskState): void {
    must(after.holding.has(index) === isHolding(now), () => this.say(index, 'held?'));
    const works = now.name === 'leasing' || isInSlot(now);
    must(after.atWork.has(index) === works, () => this.say(index, 'at work?'));
    const ready = now.name === 'pending' && this.isFree(after, index);
    const rank = after.problem.rank[index] ?? -1;
    must(after.ready.has(rank) === ready, () => this.say(index, ready ? 'not ready' : 'ready'));
  }

  private checkMove(index: number, was: TaskState, now: TaskState): void {
    must(was.name !== 'landed', () => this.say(index, 'landed, and then something else'));
    if (isSettled(was) && now.name !== 'landed') {
      const anew = now.attempt > was.attempt || was.name === 'blocked';
      must(anew, () => this.say(index, `left ${was.name} for ${now.name}`));
    }
    if (now.name === 'queued' && isUnderWay(was)) {
      const token = this.startedToken[index];
      must(now.candidate.fence === token, () => this.say(index, 'handed in under an old lease'));
    }
    if (now.name === 'queued' && (was.name === 'queued' || was.name === 'merging')) {
      const newer = now.candidate.fence > was.candidate.fence;
      must(newer, () => this.say(index, 'handed in twice'));
    }
    must(now.attempt >= was.attempt, () => this.say(index, 'counts attempts backwards'));
  }

  /** A barrier is reported broken at once, and not while all its members may still land. */
  private checkBarriers(after: RunState): void {
    const firstDead = this.firstDeadPhase(after);
    for (let phase = after.openPhase; phase < this.rules.plan.phases.length; phase += 1) {
      const dead = firstDead <= phase;
      const broken = after.broken.includes(phase);
      must(!dead || broken, () => `barrier ${phase} is broken and nobody says so`);
      must(dead || !broken || after.waiters.length > 0, () => `barrier ${phase} is whole`);
    }
  }

  private inSlots(after: RunState): readonly { readonly slot: number }[] {
    return this.rules.plan.tasks.flatMap(({ index }) => {
      const now = after.tasks.get(index);
      return isInSlot(now) ? [now] : [];
    });
  }

  private isFree(after: RunState, index: number): boolean {
    const met = (this.rules.dependencies[index] ?? []).every((d) => hasLanded(after, d));
    return met && (this.rules.phases[index] ?? -1) <= after.openPhase;
  }

  /** Whether every task of the phases before `phase` has landed. */
  private isOpen(after: RunState, phase: number): boolean {
    return this.rules.phases.every((its, i) => its < 0 || its >= phase || hasLanded(after, i));
  }

  private hasDeadAhead(after: RunState, index: number, firstDead: number): boolean {
    if ((this.rules.phases[index] ?? -1) > firstDead) return true;
    return (this.rules.dependencies[index] ?? []).some((d) => isDeadTask(after, d));
  }

  /** The first phase with a task that will not land. */
  private firstDeadPhase(after: RunState): number {
    let first = Infinity;
    this.rules.phases.forEach((phase, index) => {
      if (phase >= 0 && phase < first && isDeadTask(after, index)) first = phase;
    });
    return first;
  }

  private isRunOver(after: RunState, at: number): boolean {
    const { deadlineMs } = this.rules.plan.settings;
    return deadlineMs !== null && after.startedAt !== null && at >= after.startedAt + deadlineMs;
  }

  private indexOf(id: string): number {
    return this.rules.plan.tasks.findIndex((task) => task.id === id);
  }

  private say(index: number, what: string): string {
    return `${this.rules.task(index).id}: ${what}`;
  }
}

function hasLanded(state: RunState, index: number): boolean {
  return state.tasks.get(index).name === 'landed';
}

function isDeadTask(state: RunState, index: number): boolean {
  const now = state.tasks.get(index);
  return isSettled(now) && now.name !== 'landed';
}

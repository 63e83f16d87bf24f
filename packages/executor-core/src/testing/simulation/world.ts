import { isDeepStrictEqual } from 'node:util';
import type { Fact, RunEvent } from '../../model/event';
import type { TaskId } from '../../model/ids';
import type { Plan } from '../../model/task';
import { isSettled } from '../../model/task-state';
import type { Command } from '../../schedule/command';
import type { Problem } from '../../schedule/problem';
import type { RunState } from '../../schedule/run-state';
import type { Report } from '../scheduler-bench';
import { OWNER, runStarted } from '../scheduler-bench';
import type { Core } from './core';
import { must } from './core';
import { Invariants } from './invariants';
import { LeaseTable } from './lease-table';
import type { Agent } from './reports';
import { handIn } from './reports';
import { Rules } from './rules';

interface Ask {
  readonly index: number;
  readonly slots: readonly number[];
  told: boolean;
}

export interface Timer {
  readonly at: number;
  readonly report: Report;
}

interface Lander {
  wanted: boolean;
  halted: boolean;
  /** What became of the candidate it took, and is not known yet. */
  report: Report | null;
}

const IDLE: Lander = { wanted: false, halted: false, report: null };

/**
 * One run and the machine it runs on: performs commands as the run loop does, with a lock table, agents,
 * a merge queue, timers and a journal, and can die at any moment. It never acts by itself; whoever
 * drives it picks what happens next. Throws `Violation` when the scheduler breaks a rule.
 */
export class World {
  state: RunState;
  now = 0;
  readonly rules: Rules;
  readonly leases: LeaseTable;
  /** What was reported and not delivered yet; it arrives in any order. */
  inbox: Report[] = [];
  asks: Ask[] = [];
  agents: Agent[] = [];
  timers: Timer[] = [];
  /** Reports of agents whose process or lease is gone; they may arrive at any time. */
  zombies: Report[] = [];
  lander: Lander = { ...IDLE };
  /** Tasks whose change is on the branch, whoever knows. */
  readonly landed = new Set<number>();
  journal: RunEvent[] = [];
  /** Length of the journal before the last turn. */
  private safeLength = 0;
  /** Tasks started in the last turn. */
  private lastStarted: number[] = [];
  private readonly problem: Problem;
  private readonly invariants: Invariants;
  /** The lease this process knows of, per task. */
  private readonly tokens = new Map<number, number>();

  constructor(
    private readonly core: Core,
    readonly plan: Plan,
  ) {
    this.rules = new Rules(plan);
    this.invariants = new Invariants(this.rules);
    this.leases = new LeaseTable(this.rules);
    this.problem = core.prepareProblem(plan);
    this.state = core.initialState(this.problem);
    this.deliver(runStarted(plan.tasks.length, plan.settings.maxAgents));
  }

  indexOf(id: TaskId): number {
    return this.problem.indexOf.get(id) ?? -1;
  }

  /** Lets the scheduler decide on a report, journals, then performs. */
  deliver(report: Report): void {
    const fact: Fact = { ...report, at: this.now };
    const before = this.state;
    const [after, commands] = this.core.decide(before, fact);
    this.safeLength = this.journal.length;
    this.lastStarted = [];
    this.journal.push(fact);
    for (const command of commands) if (command.type === 'record') this.journal.push(command.event);
    this.state = after;
    this.invariants.check(before, after, commands, fact);
    for (const command of commands) if (command.type !== 'record') this.perform(command);
    if (fact.type === 'task:queued') this.checkSlotGone(fact.task);
  }

  private checkSlotGone(task: TaskId): void {
    const now = this.state.tasks.get(this.indexOf(task));
    const keeps = now.name === 'queued' && this.leases.holdsSlot(now.candidate.fence);
    must(!keeps, () => `${task} is handed in and keeps its slot`);
  }

  /** The fold of the journal is the live state (I5). */
  checkFold(): void {
    must(isDeepStrictEqual(this.fold(), this.state), () => 'the journal tells another state');
  }

  private fold(): RunState {
    return this.journal.reduce(this.core.evolve, this.core.initialState(this.problem));
  }

  private perform(command: Exclude<Command, { type: 'record' }>): void {
    switch (command.type) {
      case 'acquire':
        this.ask(this.indexOf(command.task), command.slots);
        return;
      case 'withdraw':
        this.asks = this.asks.filter((ask) => ask.index !== this.indexOf(command.task));
        return;
      case 'start':
        this.start(command);
        return;
      case 'pass':
        this.inbox.push({ type: 'task:landed', task: command.task, commit: null, tree: null });
        return;
      case 'land':
        this.lander.wanted = true;
        return;
      case 'halt':
        this.lander.halted = true;
        return;
      case 'free':
        this.free(command);
        return;
      case 'wake':
        this.timers.push({
          at: this.now + command.afterMs,
          report: { type: 'timer:due', task: command.task },
        });
        return;
      case 'deadline': {
        const { task, at } = command;
        const report =
          task === null
            ? { type: 'run:overdue' as const }
            : { type: 'task:overdue' as const, task };
        this.timers.push({ at, report });
        return;
      }
      case 'stop':
        for (const agent of this.agentsOf(command.task)) agent.stop = command.how;
        return;
      case 'suspend':
      case 'continue':
        for (const agent of this.agentsOf(command.task))
          agent.suspended = command.type === 'suspend';
        return;
    }
  }

  agentsOf(task: TaskId): readonly Agent[] {
    return this.agents.filter((agent) => agent.task === task);
  }

  private ask(index: number, slots: readonly number[]): void {
    const twice = this.asks.some((ask) => ask.index === index);
    must(!twice, () => `${this.rules.task(index).id} asks twice`);
    this.asks.push({ index, slots, told: false });
  }

  private start(command: Extract<Command, { type: 'start' }>): void {
    const { task, attempt, slot, token } = command;
    this.lastStarted.push(this.indexOf(task));
    must(this.leases.has(token), () => `${task} is started without a lease`);
    const seated = this.agents.find((agent) => agent.slot === slot && !agent.hasLeft);
    must(seated === undefined, () => `${task} starts in the slot of ${seated?.task ?? ''}`);
    const sign = { suspended: false, stop: null, verifying: false, hasLeft: false };
    const base = { ...sign, barrier: null, steps: 0 };
    this.agents.push({ task, index: this.indexOf(task), attempt, slot, token, ...base });
  }

  private free(command: Extract<Command, { type: 'free' }>): void {
    const index = this.indexOf(command.task);
    const token = command.token ?? this.tokens.get(index);
    if (token === undefined) return;
    const holder = this.agents.find((agent) => agent.token === token);
    const isInUse = holder !== undefined && this.leases.has(token);
    const mayGo = command.what === 'slot' && holder?.hasLeft === true;
    must(!isInUse || mayGo, () => `${command.task} loses its lease at work`);
    if (command.what === 'slot') {
      this.leases.releaseSlot(token);
      return;
    }
    if (this.tokens.get(index) === token) this.tokens.delete(index);
    this.leases.release(token);
  }

  /** Grants the lease that was asked for, if it is free; else says once that somebody is in the way. */
  answer(ask: Ask): void {
    const { index, slots } = ask;
    const { id } = this.rules.task(index);
    const granted = this.leases.grant(index, slots, this.state.extraWrites);
    if (granted === null || granted.slot === null) {
      ask.told = true;
      this.inbox.push({ type: 'task:waiting', task: id, holders: [] });
      return;
    }
    this.asks = this.asks.filter((other) => other !== ask);
    this.tokens.set(index, granted.token);
    this.inbox.push({ type: 'task:leased', task: id, slot: granted.slot, token: granted.token });
  }

  /** Whether the lease could be granted now. */
  canAnswer({ index, slots, told }: Ask): boolean {
    if (!told) return true;
    const granted = this.leases.grant(index, slots, this.state.extraWrites);
    if (granted !== null) this.leases.release(granted.token);
    return granted !== null;
  }

  /**
   * The process dies and another takes over, as the recovery of a run does: what was not journalled is
   * lost, and with `torn` records so are the last ones of the journal, which nobody had acted on yet.
   */
  crash(torn: number, orphansReport: boolean): void {
    if (torn > 0) this.invariants.forgetStarts(this.lastStarted);
    const kept = Math.max(this.safeLength, 1, this.journal.length - torn);
    this.journal = this.journal.slice(0, kept);
    if (orphansReport) for (const agent of this.agents) this.zombies.push(handIn(agent));
    this.zombies = this.zombies.filter(({ type }) => type !== 'task:leased');
    this.inbox = [];
    this.asks = [];
    this.agents = [];
    this.timers = [];
    this.lander = { ...IDLE };
    this.leases.clear();
    this.tokens.clear();
    this.state = this.fold();
    // Decisions that were lost are made again when the run is resumed, not before.
    this.invariants.isRecovering = true;
    this.reportLosses();
    this.invariants.isRecovering = false;
    this.deliver({ type: 'run:resumed', owner: OWNER });
  }

  private reportLosses(): void {
    for (const task of this.plan.tasks) {
      const now = this.state.tasks.get(task.index);
      if (now.name === 'running' || now.name === 'verifying') {
        const failure = { kind: 'interrupted', message: 'gone' } as const;
        const { attempt } = now;
        this.deliver({ type: 'attempt:failed', task: task.id, attempt, failure, salvage: null });
      } else if (now.name !== 'landed' && this.landed.has(task.index)) {
        this.deliver({ type: 'task:landed', task: task.id, commit: 'c', tree: 't' });
      } else if (now.name === 'queued' || now.name === 'merging') {
        const token = this.leases.grant(task.index, [], this.state.extraWrites)?.token ?? 0;
        this.tokens.set(task.index, token);
        const candidate = { ...now.candidate, fence: token };
        this.deliver({ type: 'task:queued', task: task.id, attempt: now.attempt, candidate });
      }
    }
  }

  /** What a second recovery may not change (I6). */
  outline(): unknown {
    const { tasks, spent, free, outcome, mode, settled, openPhase, unmet, maxAgents } = this.state;
    const states = tasks.toArray().map(({ name, attempt }) => [name, attempt]);
    const counts = [spent.toArray(), free.toArray(), unmet.toArray()];
    return { states, counts, outcome, mode, settled, openPhase, maxAgents };
  }

  /** At the end of a run: everybody settled, no lease kept by somebody who is done. */
  checkEnd(): void {
    must(this.state.outcome !== null, () => 'nothing can happen and the run is not over');
    const open = this.plan.tasks.filter(({ index }) => !isSettled(this.state.tasks.get(index)));
    const stopped = this.state.outcome === 'stopped';
    must(open.length === 0 || stopped, () => `${open[0]?.id ?? ''} is not settled`);
    const keeper = this.leases.holders().find((index) => isSettled(this.state.tasks.get(index)));
    must(keeper === undefined, () => `t${keeper ?? ''} is settled and keeps its lease`);
  }
}

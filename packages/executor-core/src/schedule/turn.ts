import type { Decision } from '../model/event';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import { parseSlotName } from '../model/ids';
import type { Task } from '../model/task';
import type { TaskState } from '../model/task-state';
import { isInSlot, isSettled, isUnderWay } from '../model/task-state';
import type { Command } from './command';
import { isFatal } from './effects';
import { evolve } from './evolve';
import { taskAt } from './problem';
import type { RunState } from './run-state';
import { stateOf } from './run-state';

/** `Omit` that keeps the members of a union apart. */
type WithoutStamp<T> = T extends unknown ? Omit<T, 'at'> : never;

/** One decision under construction: the state so far and the commands so far. */
export class Turn {
  readonly commands: Command[] = [];

  constructor(
    public state: RunState,
    readonly at: number,
  ) {}

  command(command: Command): void {
    this.commands.push(command);
  }

  record(decision: WithoutStamp<Decision>): void {
    const event: Decision = { ...decision, at: this.at };
    this.state = evolve(this.state, event);
    this.commands.push({ type: 'record', event });
  }

  /**
   * Changes the mode of the run. Outside `running`, what was not granted yet is given back. Agents
   * that were stopped where they are go on, unless the new mode keeps them stopped.
   */
  enterMode(mode: RunState['mode'], reason: string, suspended = false): void {
    const before = this.state;
    if (before.mode === mode && before.suspended === suspended) return;
    this.record({ type: 'run:mode', mode, reason, ...(suspended ? { suspended } : {}) });
    if (mode !== 'running') for (const task of this.tasksIn('leasing')) this.withdraw(task);
    if (before.suspended === suspended) return;
    for (const task of this.underWay()) {
      this.command({ type: suspended ? 'suspend' : 'continue', task });
    }
  }

  withdraw(task: TaskId): void {
    this.record({ type: 'task:withdrawn', task });
    this.command({ type: 'withdraw', task });
  }

  /** Ends an agent. One that is stopped where it is would not hear an interrupt. */
  stopAgent(task: TaskId, how: 'interrupt' | 'kill'): void {
    if (this.state.suspended && how === 'interrupt') this.command({ type: 'continue', task });
    this.command({ type: 'stop', task, how });
  }

  stopAgents(how: 'interrupt' | 'kill'): void {
    for (const task of this.underWay()) this.stopAgent(task, how);
  }

  /** Tasks meant by `agent-3`, a task id, or `all`. */
  targets(target: string): readonly TaskId[] {
    const { plan } = this.state.problem;
    if (target === 'all') return plan.tasks.map((task) => task.id);
    const slot = parseSlotName(target);
    return plan.tasks
      .filter((task) => {
        const now = this.state.tasks.get(task.index);
        return slot === null ? task.id === target : isInSlot(now) && now.slot === slot;
      })
      .map((task) => task.id);
  }

  cancel(tasks: readonly TaskId[], by: string, how: 'interrupt' | 'kill'): void {
    for (const task of tasks) {
      const now = stateOf(this.state, task);
      if (now === undefined || isSettled(now)) continue;
      this.record({ type: 'task:cancelled', task, by });
      this.dismiss(task, now, how);
      this.blockDependants(task);
    }
  }

  /** Ends what a task that is settled now was doing in state `was`. */
  private dismiss(task: TaskId, was: TaskState, how: 'interrupt' | 'kill'): void {
    if (isUnderWay(was)) this.stopAgent(task, how);
    else if (was.name === 'leasing') this.command({ type: 'withdraw', task });
    else this.command({ type: 'free', task, what: 'all' });
  }

  /** Cancels all that is not finished; what is handed in already still lands. */
  cancelAll(by: string, how: 'interrupt' | 'kill'): void {
    const open = this.unfinished().map((task) => task.id);
    this.cancel(open, by, how);
  }

  /** Tasks that are neither settled nor handed in, in plan order. */
  unfinished(): readonly Task[] {
    return this.state.problem.plan.tasks.filter((task) => {
      const now = this.state.tasks.get(task.index);
      return !isSettled(now) && now.name !== 'queued' && now.name !== 'merging';
    });
  }

  /** A task has failed for good: what depends on it is blocked, and a fatal failure ends the run. */
  failForGood(task: TaskId, failure: Failure): void {
    const was = stateOf(this.state, task);
    if (was === undefined) return;
    this.record({ type: 'task:failed', task, failure });
    if (failure.kind === 'deadline') this.dismiss(task, was, 'interrupt');
    this.blockDependants(task);
    const { plan, indexOf } = this.state.problem;
    if (!isFatal(this.state, indexOf.get(task) ?? -1)) return;
    const byStrategy = plan.settings.failureStrategy === 'fail_fast';
    this.cancelAll(byStrategy ? 'fail_fast' : `the failure of critical task ${task}`, 'interrupt');
  }

  /** The run's time is up: all that is not handed in fails. */
  failUnfinished(): void {
    const afterMs = this.state.problem.plan.settings.deadlineMs ?? 0;
    const failure: Failure = { kind: 'deadline', scope: 'run', afterMs };
    for (const { id: task, index } of this.unfinished()) {
      const was = this.state.tasks.get(index);
      this.record({ type: 'task:failed', task, failure });
      this.dismiss(task, was, 'interrupt');
    }
  }

  /** Everything that can no longer start because `cause` will not land: dependants and later phases. */
  blockDependants(cause: TaskId): void {
    const { graph, plan } = this.state.problem;
    const seen = new Set<TaskId>([cause]);
    const queue: TaskId[] = [cause];
    // Each phase is gone through once: from here on all of them are in the queue.
    let blockedFrom = plan.phases.length;
    for (let task = queue.pop(); task !== undefined; task = queue.pop()) {
      const now = stateOf(this.state, task);
      if (task !== cause && now !== undefined && !isSettled(now)) {
        this.record({ type: 'task:blocked', task, by: cause });
      }
      const phase = graph.phaseIndex(task);
      const later = phase < 0 ? [] : plan.phases.slice(phase + 1, blockedFrom);
      if (phase >= 0) blockedFrom = Math.min(blockedFrom, phase + 1);
      const members = later.flatMap((name) => graph.phaseMembers(name));
      for (const next of [...graph.dependants(task), ...members]) {
        if (!seen.has(next)) queue.push(next);
        seen.add(next);
      }
    }
  }

  underWay(): readonly TaskId[] {
    return this.tasksIn('running', 'verifying');
  }

  tasksIn(...names: readonly TaskState['name'][]): readonly TaskId[] {
    const found: TaskId[] = [];
    this.state.holding.some((index) => {
      if (names.includes(this.state.tasks.get(index).name)) {
        found.push(taskAt(this.state.problem, index).id);
      }
      return false;
    });
    return found;
  }
}

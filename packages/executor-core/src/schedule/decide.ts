import type { Decision, Fact } from '../model/event';
import type { TaskId } from '../model/ids';
import { parseSlotName } from '../model/ids';
import type { TaskState } from '../model/task-state';
import { isInSlot, isSettled } from '../model/task-state';
import { admit, slotsFor } from './admission';
import type { Command } from './command';
import { evolve } from './evolve';
import { taskAt } from './problem';
import { mayRetry, retryDelayMs } from './retry-policy';
import type { RunState } from './run-state';
import { stateOf } from './run-state';

/**
 * The scheduler: a pure function of what is known and what happened. It reads no clock, makes no
 * promise and does no I/O; the run loop performs the commands and reports back with facts.
 *
 * Decisions come back as `record` commands and are already contained in the returned state.
 * Late, duplicate and foreign facts change nothing (`evolve` refuses them), so a fact may be
 * delivered twice.
 */
export function decide(state: RunState, event: Fact): readonly [RunState, readonly Command[]] {
  const turn = new Turn(evolve(state, event), event.at);
  react(turn, state, event);
  turn.openBarriers();
  if (turn.state.started && turn.state.mode === 'running') turn.startReady();
  turn.finishWhenDone();
  return [turn.state, turn.commands];
}

function react(turn: Turn, before: RunState, event: Fact): void {
  switch (event.type) {
    case 'run:resumed':
      turn.continueAfterRestart();
      return;
    case 'control:requested':
      applyControl(turn, event);
      return;
    case 'task:leased':
      onLeased(turn, before, event.task, event.token);
      return;
    case 'task:queued':
    case 'task:cached':
      turn.command({ type: 'free', task: event.task, what: 'slot' });
      turn.command({ type: 'land' });
      return;
    case 'task:landed':
      turn.command({ type: 'free', task: event.task, what: 'all' });
      return;
    case 'attempt:failed':
      onAttemptFailed(turn, event);
      return;
    case 'run:started':
    case 'run:joined':
    case 'task:waiting':
    case 'task:started':
    case 'process:started':
    case 'task:progress':
    case 'task:verifying':
    case 'task:merging':
    case 'timer:due':
    case 'target:advanced':
    case 'target:held':
    case 'task:overdue':
    case 'run:overdue':
    case 'task:widened':
    case 'task:healing':
    case 'task:healed':
    case 'barrier:waiting':
    case 'barrier:left':
      return;
  }
}

function onLeased(turn: Turn, before: RunState, task: TaskId, token: number): void {
  const was = stateOf(before, task);
  if (was?.name !== 'leasing') {
    turn.command({ type: 'free', task, what: 'all' });
    return;
  }
  const now = stateOf(turn.state, task);
  if (now?.name !== 'running') return;
  turn.command({ type: 'start', task, attempt: now.attempt, slot: now.slot, token });
}

function onAttemptFailed(turn: Turn, event: Extract<Fact, { type: 'attempt:failed' }>): void {
  const { task, failure } = event;
  turn.command({ type: 'free', task, what: 'all' });
  const now = stateOf(turn.state, task);
  if (now === undefined || isSettled(now) || now.name === 'pending' || now.name === 'backoff')
    return;
  const { settings } = turn.state.problem.plan;
  const index = turn.state.problem.indexOf.get(task) ?? 0;
  if (failure.kind === 'conflict' && settings.conflictPolicy === 'manual') {
    turn.record({ type: 'task:conflicted', task, paths: failure.paths });
    turn.blockDependants(task);
  } else if (failure.kind === 'interrupted' && turn.state.mode !== 'running') {
    turn.record({ type: 'task:withdrawn', task });
  } else if (mayRetry(settings.retry, failure, turn.state.spent.get(index), now.attempt)) {
    const retryAt = turn.at + retryDelayMs(settings.retry, now.attempt, task, failure);
    turn.record({ type: 'task:retrying', task, attempt: now.attempt + 1, retryAt, failure });
    turn.command({ type: 'wake', task, at: retryAt });
  } else {
    turn.record({ type: 'task:failed', task, failure });
    turn.blockDependants(task);
    if (settings.failureStrategy === 'fail_fast') turn.cancelAll('fail_fast', 'interrupt');
  }
}

function applyControl(turn: Turn, event: Extract<Fact, { type: 'control:requested' }>): void {
  const { request, by } = event;
  switch (request.kind) {
    case 'pause':
      if (turn.state.mode === 'running') turn.enterMode('paused', `paused by ${by}`);
      return;
    case 'resume':
      if (turn.state.mode === 'paused') turn.enterMode('running', `resumed by ${by}`);
      return;
    case 'kill':
      turn.cancel(turn.targets(request.target), by, 'kill');
      return;
    case 'agents':
    case 'retry':
      return;
    case 'stop':
      if (request.how === 'drain') {
        if (turn.state.mode !== 'stopping') turn.enterMode('draining', `drained by ${by}`);
        return;
      }
      turn.enterMode('stopping', `stopped by ${by}`);
      turn.stopAgents(request.how === 'kill' ? 'kill' : 'interrupt');
      turn.command({ type: 'halt' });
      return;
  }
}

/** `Omit` that keeps the members of a union apart. */
type WithoutStamp<T> = T extends unknown ? Omit<T, 'at'> : never;

/** One decision under construction: the state so far and the commands so far. */
class Turn {
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

  enterMode(mode: RunState['mode'], reason: string): void {
    if (this.state.mode === mode) return;
    this.record({ type: 'run:mode', mode, reason });
    if (mode !== 'running') for (const task of this.tasksIn('leasing')) this.withdraw(task);
  }

  withdraw(task: TaskId): void {
    this.record({ type: 'task:withdrawn', task });
    this.command({ type: 'withdraw', task });
  }

  stopAgents(how: 'interrupt' | 'kill'): void {
    for (const task of this.inSlots()) this.command({ type: 'stop', task, how });
  }

  /** Tasks meant by `agent-3`, a task id, or `all`. */
  targets(target: string): readonly TaskId[] {
    const { plan } = this.state.problem;
    if (target === 'all') return plan.tasks.map((task) => task.id);
    const slot = parseSlotName(target);
    return plan.tasks
      .filter((task) => {
        const now = this.state.tasks.get(task.index);
        return slot === null
          ? task.id === target
          : isInSlot(now) && 'slot' in now && now.slot === slot;
      })
      .map((task) => task.id);
  }

  cancel(tasks: readonly TaskId[], by: string, how: 'interrupt' | 'kill'): void {
    for (const task of tasks) {
      const now = stateOf(this.state, task);
      if (now === undefined || isSettled(now)) continue;
      this.record({ type: 'task:cancelled', task, by });
      if (isInSlot(now)) this.command({ type: 'stop', task, how });
      else if (now.name === 'leasing') this.command({ type: 'withdraw', task });
      else this.command({ type: 'free', task, what: 'all' });
      this.blockDependants(task);
    }
  }

  cancelAll(by: string, how: 'interrupt' | 'kill'): void {
    const open = this.state.problem.plan.tasks.filter((task) => {
      const { name } = this.state.tasks.get(task.index);
      return name !== 'queued' && name !== 'merging';
    });
    this.cancel(
      open.map((task) => task.id),
      by,
      how,
    );
  }

  /** Everything that can no longer start because `cause` will not land: dependants and later phases. */
  blockDependants(cause: TaskId): void {
    const seen = new Set<TaskId>([cause]);
    const queue: TaskId[] = [cause];
    for (let task = queue.pop(); task !== undefined; task = queue.pop()) {
      const now = stateOf(this.state, task);
      if (task !== cause && now !== undefined && !isSettled(now)) {
        this.record({ type: 'task:blocked', task, by: cause });
      }
      for (const next of this.followersOf(task)) {
        if (!seen.has(next)) queue.push(next);
        seen.add(next);
      }
    }
  }

  private followersOf(task: TaskId): readonly TaskId[] {
    const { graph, plan } = this.state.problem;
    const phase = graph.phaseIndex(task);
    const later = phase < 0 ? [] : plan.phases.slice(phase + 1);
    return [...graph.dependants(task), ...later.flatMap((name) => graph.phaseMembers(name))];
  }

  openBarriers(): void {
    const { phases } = this.state.problem.plan;
    while (
      this.state.openPhase < phases.length &&
      this.state.phaseLeft[this.state.openPhase] === 0
    ) {
      this.record({ type: 'barrier:opened', barrier: phases[this.state.openPhase] ?? '' });
    }
  }

  startReady(): void {
    const { milestones, tasks } = admit(this.state);
    for (const task of milestones) {
      this.record({ type: 'task:leasing', task: task.id });
      this.command({ type: 'pass', task: task.id });
    }
    for (const task of tasks) {
      const slots = slotsFor(this.state, task);
      const { attempt } = this.state.tasks.get(task.index);
      this.record({ type: 'task:leasing', task: task.id });
      this.command({ type: 'acquire', task: task.id, attempt, slots });
    }
  }

  /** After a crash: what was queued goes to the merge queue again, back-offs get their timers back. */
  continueAfterRestart(): void {
    for (const task of this.state.problem.plan.tasks) {
      const now: TaskState = this.state.tasks.get(task.index);
      if (now.name === 'leasing') this.record({ type: 'task:withdrawn', task: task.id });
      if (now.name === 'backoff') this.command({ type: 'wake', task: task.id, at: now.retryAt });
    }
    if (this.tasksIn('queued', 'merging').length > 0) this.command({ type: 'land' });
  }

  finishWhenDone(): void {
    const { state } = this;
    if (!state.started || state.outcome !== null) return;
    const states = (): readonly TaskState[] => state.tasks.toArray();
    if (state.settled === state.problem.plan.tasks.length) {
      const names = new Set(states().map((task) => task.name));
      const failed = names.has('failed') || names.has('blocked') || names.has('conflicted');
      const outcome = failed ? 'failed' : names.has('cancelled') ? 'stopped' : 'completed';
      this.record({ type: 'run:finished', outcome });
    } else if (this.isWoundDown()) {
      this.record({ type: 'run:finished', outcome: 'stopped' });
    }
  }

  /** Draining waits until what is queued has landed; stopping only until no agent is left. */
  private isWoundDown(): boolean {
    const { mode, holding } = this.state;
    if (mode === 'draining') return holding.length === 0;
    return mode === 'stopping' && this.tasksIn('leasing', 'running', 'verifying').length === 0;
  }

  private inSlots(): readonly TaskId[] {
    return this.tasksIn('running', 'verifying');
  }

  private tasksIn(...names: readonly TaskState['name'][]): readonly TaskId[] {
    return this.state.holding
      .filter((index) => names.includes(this.state.tasks.get(index).name))
      .map((index) => taskAt(this.state.problem, index).id);
  }
}

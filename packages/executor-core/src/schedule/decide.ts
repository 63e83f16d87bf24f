import type { EventOf, Fact } from '../model/event';
import type { TaskState } from '../model/task-state';
import { isHolding, isInSlot, isUnderWay } from '../model/task-state';
import { admit } from './admission';
import { continueAfterRestart } from './after-restart';
import { breakageOf } from './barriers';
import type { Command } from './command';
import { applyControl } from './control';
import { deadlineFailure, isRunOverdue, taskDeadline } from './deadlines';
import { evolve } from './evolve';
import { armRunDeadline, onOverdue } from './overdue';
import { taskAt } from './problem';
import { settleBlocked } from './reopen';
import { mayRetry, retryDelayMs } from './retry-policy';
import type { RunState } from './run-state';
import { isDead, stateOf } from './run-state';
import { slotsFor, stealReason } from './slots';
import { isCurrent } from './transitions';
import { Turn } from './turn';

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
  openBarriers(turn);
  // After a restart nobody has answered yet who may start.
  const isAnswered = event.type !== 'run:resumed' && !hasRoomChanged(state, turn.state);
  if (!isAnswered && mayStart(turn)) startReady(turn);
  reportBroken(turn);
  finishWhenDone(turn);
  return [turn.state, turn.commands];
}

function react(turn: Turn, before: RunState, event: Fact): void {
  if ('task' in event) reactToTask(turn, before, event);
  else reactToRun(turn, before, event);
}

function reactToRun(turn: Turn, before: RunState, event: Exclude<Fact, { task: unknown }>): void {
  switch (event.type) {
    case 'run:started':
    case 'run:joined':
    case 'run:resumed':
      onBegun(turn, before, event);
      return;
    case 'control:requested':
      applyControl(turn, event);
      return;
    case 'run:overdue':
      onOverdue(turn, event);
      return;
    case 'conflict:ahead':
    case 'target:advanced':
    case 'target:held':
    case 'pull-request':
    case 'disk:refused':
    case 'disk:recovered':
    case 'barrier:waiting':
    case 'barrier:left':
      return;
  }
}

function reactToTask(turn: Turn, before: RunState, event: Extract<Fact, { task: unknown }>): void {
  switch (event.type) {
    case 'task:leased':
      onLeased(turn, before, event);
      return;
    case 'task:verifying':
      onVerifying(turn, before, event);
      return;
    case 'task:queued':
    case 'task:cached':
      onHandedIn(turn, before, event);
      return;
    case 'task:resolved':
      onResolved(turn, before, event);
      return;
    case 'task:landed':
      onLanded(turn, before, event);
      return;
    case 'attempt:failed':
      onAttemptFailed(turn, before, event);
      return;
    case 'task:overdue':
      onOverdue(turn, event);
      return;
    case 'task:waiting':
    case 'task:started':
    case 'process:started':
    case 'task:progress':
    case 'task:merging':
    case 'timer:due':
    case 'task:widened':
    case 'task:healing':
    case 'task:healed':
    case 'task:checkpointed':
    case 'checkpoint:failed':
    case 'check:flaked':
    case 'task:cost':
      return;
  }
}

function onBegun(turn: Turn, before: RunState, { type }: Fact): void {
  if (type === 'run:resumed') continueAfterRestart(turn, before);
  else armRunDeadline(turn);
}

function onLeased(turn: Turn, before: RunState, event: EventOf<'task:leased'>): void {
  const { task: id, token } = event;
  const index = before.problem.indexOf.get(id);
  const was = stateOf(before, id);
  const now = stateOf(turn.state, id);
  if (index === undefined || was === undefined || token <= before.tokens.get(index)) return;
  if (was.name !== 'leasing' || now?.name !== 'running') {
    // Granted too late, or a slot that cannot be taken now.
    if (was.name === 'leasing') turn.withdraw(id);
    turn.command({ type: 'free', task: id, what: 'all', token });
    return;
  }
  const task = taskAt(before.problem, index);
  const reason = stealReason(turn.state, task, now.slot);
  if (reason !== null) {
    turn.record({ type: 'task:stolen', task: id, from: task.homeSlot, to: now.slot, reason });
  }
  // An earlier request was granted after all: the later one is still open.
  if (before.asks.get(index) > 1) turn.command({ type: 'withdraw', task: id });
  turn.command({ type: 'start', task: id, attempt: now.attempt, slot: now.slot, token });
  const deadline = taskDeadline(turn.state, index);
  if (before.firstStarts.get(index) === null && deadline !== null) {
    turn.command({ type: 'deadline', task: id, at: deadline });
  }
}

function onVerifying(turn: Turn, before: RunState, { task }: EventOf<'task:verifying'>): void {
  const now = stateOf(turn.state, task);
  const leaves = now?.name === 'verifying' && now.slot === null && now !== stateOf(before, task);
  if (leaves) turn.command({ type: 'free', task, what: 'slot' });
}

function onHandedIn(
  turn: Turn,
  before: RunState,
  event: EventOf<'task:queued'> | EventOf<'task:cached'>,
): void {
  const { task, candidate } = event;
  const was = stateOf(before, task);
  const now = stateOf(turn.state, task);
  if (now === was) {
    if (event.type === 'task:queued') freeUnlessHeld(turn, was, task, candidate.fence);
    return;
  }
  if (was?.name === 'leasing') turn.command({ type: 'withdraw', task });
  else if (was !== undefined && isInSlot(was)) turn.command({ type: 'free', task, what: 'slot' });
  turn.command({ type: 'land' });
}

/** What it kept from starting may start once it has landed. A run that is over takes it up when it is resumed. */
function onResolved(turn: Turn, before: RunState, { task, by }: EventOf<'task:resolved'>): void {
  if (stateOf(turn.state, task) === stateOf(before, task) || turn.state.outcome !== null) return;
  settleBlocked(turn, by);
  turn.command({ type: 'land' });
}

function onLanded(turn: Turn, before: RunState, event: EventOf<'task:landed'>): void {
  const { task } = event;
  const was = stateOf(before, task);
  if (was === undefined || was.name === 'landed') return;
  if (isUnderWay(was)) turn.stopAgent(task, 'kill');
  else if (was.name === 'leasing') turn.command({ type: 'withdraw', task });
  if (!isUnderWay(was)) turn.command({ type: 'free', task, what: 'all' });
  if (isDead(was)) settleBlocked(turn, `the landing of ${task}`);
}

/** An attempt nobody waits for any more has ended: its leases go, unless a later one has them. */
function freeUnlessHeld(
  turn: Turn,
  now: TaskState | undefined,
  task: EventOf<'task:queued'>['task'],
  token: number | undefined,
): void {
  if (now === undefined || (isHolding(now) && now.name !== 'leasing')) return;
  // Without its token it cannot be told from the lease that is being asked for.
  if (now.name === 'leasing' && token === undefined) return;
  turn.command({
    type: 'free',
    task,
    what: 'all',
    ...(token === undefined ? {} : { token }),
  });
}

function onAttemptFailed(turn: Turn, before: RunState, event: EventOf<'attempt:failed'>): void {
  const { task, failure } = event;
  const { settings } = turn.state.problem.plan;
  const index = turn.state.problem.indexOf.get(task);
  const now = stateOf(before, task);
  if (index === undefined || now === undefined) return;
  if (!isCurrent(now, event)) {
    freeUnlessHeld(turn, now, task, event.token);
    return;
  }
  turn.command({ type: 'free', task, what: 'all' });
  const overdue = deadlineFailure(turn.state, index, turn.at);
  const count = { spent: turn.state.spent.get(index), free: turn.state.free.get(index) };
  if (failure.kind === 'conflict' && settings.conflictPolicy === 'manual') {
    turn.record({ type: 'task:conflicted', task, paths: failure.paths });
    turn.blockDependants(task);
  } else if (overdue !== null) {
    turn.failForGood(task, overdue);
  } else if (failure.kind === 'interrupted' && turn.state.mode !== 'running') {
    turn.record({ type: 'task:withdrawn', task });
  } else if (!turn.state.failedFast && mayRetry(settings.retry, failure, count)) {
    const seed = `${task}/${now.attempt}`;
    const afterMs = retryDelayMs(settings.retry, count.spent + count.free, seed, failure);
    const retryAt = turn.at + afterMs;
    turn.record({ type: 'task:retrying', task, attempt: now.attempt + 1, retryAt, failure });
    turn.command({ type: 'wake', task, afterMs });
  } else {
    turn.failForGood(task, failure);
  }
}

/** What is handed in may still land: it fails only if that fails. */
function openBarriers(turn: Turn): void {
  const { phases } = turn.state.problem.plan;
  while (turn.state.phaseLeft[turn.state.openPhase] === 0) {
    turn.record({ type: 'barrier:opened', barrier: phases[turn.state.openPhase] ?? '' });
  }
}

function reportBroken(turn: Turn): void {
  const { phases } = turn.state.problem.plan;
  const { openPhase, phaseDead, waiters } = turn.state;
  if (waiters.length === 0 && !phaseDead.some((dead) => dead > 0)) return;
  for (const [phase, barrier] of phases.entries()) {
    if (phase < openPhase || turn.state.broken.includes(phase)) continue;
    const breakage = breakageOf(turn.state, phase);
    if (breakage !== null) turn.record({ type: 'barrier:broken', barrier, ...breakage });
  }
}

function mayStart(turn: Turn): boolean {
  const { started, mode, outcome } = turn.state;
  return started && mode === 'running' && outcome === null && !isRunOverdue(turn.state, turn.at);
}

/** Without a change to any of these the last turn's answer stands: nobody more may start. */
function hasRoomChanged(before: RunState, after: RunState): boolean {
  return (
    before.ready !== after.ready ||
    before.holding !== after.holding ||
    before.atWork !== after.atWork ||
    before.waiting !== after.waiting ||
    before.maxAgents !== after.maxAgents ||
    before.mode !== after.mode ||
    before.started !== after.started ||
    before.outcome !== after.outcome
  );
}

function startReady(turn: Turn): void {
  const { milestones, tasks } = admit(turn.state);
  for (const task of milestones) {
    turn.record({ type: 'task:leasing', task: task.id });
    turn.command({ type: 'pass', task: task.id });
  }
  for (const task of tasks) {
    const slots = slotsFor(turn.state, task);
    const { attempt } = turn.state.tasks.get(task.index);
    turn.record({ type: 'task:leasing', task: task.id });
    turn.command({ type: 'acquire', task: task.id, attempt, slots });
  }
}

function finishWhenDone(turn: Turn): void {
  const { state } = turn;
  if (!state.started || state.outcome !== null) return;
  if (state.settled === state.problem.plan.tasks.length) {
    const outcome =
      state.dead > state.cancelled ? 'failed' : state.cancelled > 0 ? 'stopped' : 'completed';
    turn.record({ type: 'run:finished', outcome });
  } else if (isWoundDown(turn)) {
    turn.record({ type: 'run:finished', outcome: 'stopped' });
  }
}

/** Draining waits until what is queued has landed; stopping only until no agent is left. */
function isWoundDown({ state }: Turn): boolean {
  if (state.mode === 'draining') return state.holding.size === 0;
  return state.mode === 'stopping' && state.atWork.size === 0;
}

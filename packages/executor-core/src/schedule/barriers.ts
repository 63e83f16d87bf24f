import type { TaskId } from '../model/ids';
import type { Task } from '../model/task';
import { isUnderWay } from '../model/task-state';
import { admit } from './admission';
import { taskAt } from './problem';
import type { RunState, Waiter } from './run-state';
import { isDead } from './run-state';

/** Why a barrier can never open; `by` is the task to blame, `null` when there are too few slots. */
export interface Breakage {
  readonly by: TaskId | null;
  readonly reason: string;
}

/** `true` when the barrier after phase `phase` can never open as things stand. */
export function isBroken(state: RunState, phase: number): boolean {
  return phase >= state.openPhase && (hasDead(state, phase) || waitsInVain(state, phase) !== null);
}

/**
 * Why the barrier after phase `phase` can never open as things stand, or `null` while it can: a task
 * of this or an earlier phase will not land, or what must land before it opens needs something that
 * agents hold which wait for it.
 */
export function breakageOf(state: RunState, phase: number): Breakage | null {
  if (phase < state.openPhase) return null;
  return hasDead(state, phase) ? deadMember(state, phase) : waitsInVain(state, phase);
}

function hasDead(state: RunState, phase: number): boolean {
  return state.phaseDead.some((dead, at) => at <= phase && dead > 0);
}

/** The first task of the phases up to `phase` that will not land; rather a cause than a consequence. */
function deadMember(state: RunState, phase: number): Breakage | null {
  const { plan, graph } = state.problem;
  let blocked: Breakage | null = null;
  for (const name of plan.phases.slice(0, phase + 1)) {
    for (const id of graph.phaseMembers(name)) {
      const now = state.tasks.get(graph.indexOf(id));
      if (!isDead(now)) continue;
      if (now.name !== 'blocked') return { by: id, reason: `${id} ${FATES[now.name] ?? now.name}` };
      blocked ??= { by: now.by, reason: `${id} is blocked by ${now.by}` };
    }
  }
  return blocked;
}

const FATES: Readonly<Record<string, string>> = {
  failed: 'failed',
  conflicted: 'has conflicts that wait for a person',
  cancelled: 'was cancelled',
};

/** Whether what must land first can never get what it needs from the agents that wait. */
function waitsInVain(state: RunState, phase: number): Breakage | null {
  // Who waits at an earlier barrier goes on when that one opens, so only later ones stay for good.
  const waiters = state.waiters.filter((waiter) => waiter.phase >= phase);
  if (!waiters.some((waiter) => waiter.phase === phase)) return null;
  const needed = tasksBefore(state, phase);
  const own = waiters.find((waiter) => waiter.phase === phase && needed.has(waiter.task));
  if (own !== undefined) {
    const { id } = taskAt(state.problem, own.task);
    return { by: id, reason: `${id} waits for it, and must itself land before it opens` };
  }
  const unstarted = [...needed]
    .filter((index) => needsSlot(state, index))
    .map((index) => taskAt(state.problem, index));
  const [first] = unstarted;
  if (first === undefined) return null;
  if (state.mode === 'draining' || state.mode === 'stopping') {
    return { by: first.id, reason: `the run winds down, and ${first.id} has not started` };
  }
  const found = lackOfSlots(state, waiters, unstarted) ?? heldByWaiter(state, waiters, unstarted);
  if (found !== null || !isStill(state, waiters)) return found;
  return { by: first.id, reason: `${first.id} cannot start while agents wait for the barrier` };
}

/**
 * `true` when nothing happens until one of the waiters gives up: nobody else is at work or will be.
 * This finds what holds a member up by a detour, such as a limit or the claim of another task.
 */
function isStill(state: RunState, waiters: readonly Waiter[]): boolean {
  const waiting = new Set(waiters.map((waiter) => waiter.task));
  if (state.holding.some((index) => !waiting.has(index))) return false;
  if (state.tasks.some((task) => task.name === 'backoff')) return false;
  const { milestones, tasks } = admit(state);
  return milestones.length + tasks.length === 0;
}

function lackOfSlots(
  state: RunState,
  waiters: readonly Waiter[],
  unstarted: readonly Task[],
): Breakage | null {
  const holders = new Set(waiters.map((waiter) => waiter.task));
  if (holders.size < state.maxAgents) return null;
  const slots = state.maxAgents === 1 ? 'the only slot' : `all ${state.maxAgents} slots`;
  const first = unstarted[0]?.id ?? '';
  const reason = `agents that wait hold ${slots}, and ${first} needs one before it opens`;
  return { by: null, reason };
}

function heldByWaiter(
  state: RunState,
  waiters: readonly Waiter[],
  unstarted: readonly Task[],
): Breakage | null {
  const { conflicts } = state.problem;
  for (const { task } of waiters) {
    const holder = taskAt(state.problem, task);
    const hindered = unstarted.find((one) => conflicts.exclude(one, holder, state.extraWrites));
    if (hindered !== undefined) {
      const reason = `${hindered.id} needs what ${holder.id} holds while it waits for the barrier`;
      return { by: hindered.id, reason };
    }
  }
  return null;
}

function needsSlot(state: RunState, index: number): boolean {
  const now = state.tasks.get(index);
  const begun = isUnderWay(now) || now.name === 'queued' || now.name === 'merging';
  return !begun && now.name !== 'landed' && taskAt(state.problem, index).profile !== null;
}

/** Tasks of the phases up to `phase` and all they depend on that have not landed, in plan order. */
function tasksBefore(state: RunState, phase: number): ReadonlySet<number> {
  const { plan, graph } = state.problem;
  const found = new Set<number>();
  const queue = plan.phases
    .slice(0, phase + 1)
    .flatMap((name) => graph.phaseMembers(name))
    .map((id) => graph.indexOf(id));
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    if (found.has(index) || state.tasks.get(index).name === 'landed') continue;
    found.add(index);
    for (const id of taskAt(state.problem, index).dependsOn) queue.push(graph.indexOf(id));
  }
  return new Set([...found].sort((a, b) => a - b));
}

import type { TaskId } from '../model/ids';
import { taskAt } from './problem';
import type { RunState } from './run-state';
import { isDead, stateOf } from './run-state';
import { runDeadline } from './deadlines';
import type { Turn } from './turn';

/**
 * Has tasks that did not land tried again: the one named, or all of them. A task cannot start while
 * something before it will not land, so that is reopened with it; and what was blocked because of any
 * of these is freed, unless something else still blocks it. Every task this touches gets its event.
 */
export function reopen(turn: Turn, target: string, by: string): void {
  const named = turn.targets(target).filter((id) => isStuck(turn.state, id));
  if (named.length === 0) return;
  const before = turn.state.startedAt;
  for (const id of causesOf(turn.state, named)) {
    const why = named.includes(id) ? by : `${by}, for ${named.join(', ')}`;
    turn.record({ type: 'task:reopened', task: id, by: why });
  }
  settleBlocked(turn, by);
  const deadline = runDeadline(turn.state);
  if (turn.state.startedAt !== before && deadline !== null) {
    turn.command({ type: 'deadline', task: null, at: deadline });
  }
}

/**
 * Makes `blocked` true to its meaning, in one pass along the graph: a task is blocked exactly while
 * something before it will not land. Needed after a reopening, and after a crash that lost the last
 * decisions of a turn.
 */
export function settleBlocked(turn: Turn, by: string): void {
  const { nodes } = turn.state.problem.graph;
  const causes = new Array<TaskId | null>(nodes.order.length).fill(null);
  for (const node of nodes.order) {
    const before = nodes.predecessors[node] ?? [];
    let cause: TaskId | null = null;
    for (const other of before) cause ??= causes[other] ?? null;
    causes[node] = node < nodes.taskCount ? settleTask(turn, node, cause, by) : cause;
  }
}

/** `cause`: what keeps the task from landing. Returns what keeps those behind it. */
function settleTask(turn: Turn, index: number, cause: TaskId | null, by: string): TaskId | null {
  const { id: task } = taskAt(turn.state.problem, index);
  const now = turn.state.tasks.get(index);
  switch (now.name) {
    case 'failed':
    case 'conflicted':
    case 'cancelled':
      return task;
    case 'blocked':
      if (cause !== null && isStuck(turn.state, now.by)) return cause;
      turn.record({ type: 'task:reopened', task, by });
      if (cause !== null) turn.record({ type: 'task:blocked', task, by: cause });
      return cause;
    case 'pending':
    case 'backoff':
      if (cause !== null) turn.record({ type: 'task:blocked', task, by: cause });
      return cause;
    case 'leasing':
    case 'running':
    case 'verifying':
    case 'queued':
    case 'merging':
    case 'landed':
      return null;
  }
}

function isStuck(state: RunState, id: TaskId): boolean {
  const now = stateOf(state, id);
  return now !== undefined && isDead(now);
}

/** The tasks to reopen so that `named` can start, in plan order: themselves and what stops them. */
function causesOf(state: RunState, named: readonly TaskId[]): readonly TaskId[] {
  const { graph, plan } = state.problem;
  const seen = new Set<number>();
  const queue = named.map((id) => graph.indexOf(id));
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    queue.push(...(graph.nodes.predecessors[node] ?? []));
  }
  return plan.tasks
    .filter(({ index }) => {
      const now = state.tasks.get(index);
      return seen.has(index) && isDead(now) && now.name !== 'blocked';
    })
    .map(({ id }) => id);
}

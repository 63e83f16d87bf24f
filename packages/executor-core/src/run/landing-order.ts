import type { Plan } from '../model/task';
import type { Waiting } from './lander';

/**
 * Higher priority first, otherwise as they are: of two that conflict the more important one lands, and
 * the other is the one that runs again. What a task depends on has landed before it could begin.
 */
export function inLandingOrder(waiting: readonly Waiting[], plan: Plan): readonly Waiting[] {
  if (waiting.length < 2) return waiting;
  const priorities = new Map(plan.tasks.map(({ id, priority }) => [id, priority]));
  const priorityOf = ({ task }: Waiting): number => priorities.get(task) ?? 0;
  return [...waiting].sort((a, b) => priorityOf(b) - priorityOf(a));
}

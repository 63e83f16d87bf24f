import type { Ladder } from '../merge/resolve-conflict';
import type { Plan } from '../model/task';

/** The conflict ladder of a run: what the plan says of it. */
export function ladderOf(plan: Plan): Ladder {
  const { conflicts } = plan.settings;
  const priorities = new Map<string, number>(plan.tasks.map(({ id, priority }) => [id, priority]));
  return {
    structural: conflicts?.structural ?? true,
    ...(conflicts?.union === undefined ? {} : { union: conflicts.union }),
    priorityOf: (task) => priorities.get(task) ?? null,
  };
}

import type { TaskId } from '../model/ids';
import type { Plan } from '../model/task';
import type { Stage } from './run-view';

/** The plan's phases with their tasks, or one stage per level when the plan names no phases. */
export function stagesOf(plan: Plan, levels: readonly (readonly TaskId[])[]): readonly Stage[] {
  if (plan.phases.length === 0) {
    return levels.map((tasks, index) => ({ name: `level ${index + 1}`, tasks }));
  }
  return plan.phases.map((name) => ({
    name,
    tasks: plan.tasks.filter((task) => task.phase === name).map((task) => task.id),
  }));
}

import type { Plan } from '@parallel-executor/core';
import { predictRun } from '@parallel-executor/core';
import type { Workload } from './workload';

/** Each barrier is played through once more; beyond this many tasks that takes too long to be asked for. */
const MOST_TASKS = 2000;
/** Beyond so many phases their costs say nothing one by one. */
const MOST_PHASES = 20;

/** How much sooner the plan would be done without the barrier after `after`. */
export interface BarrierCost {
  /** The phase that has to end before the next one starts. */
  readonly after: string;
  /** In the unit of the workload; 0 when the run would not be shorter. */
  readonly cost: number;
}

/**
 * What each barrier of a plan costs: the makespan with it minus the makespan without it, both played
 * through. `null` where that would take too long.
 */
export function barrierCosts(
  { plan, durationOf }: Workload,
  makespan: number,
): readonly BarrierCost[] | null {
  if (plan.tasks.length > MOST_TASKS || plan.phases.length > MOST_PHASES) return null;
  return plan.phases.slice(0, -1).map((after, at) => {
    const freed = predictRun(withoutBarrier(plan, at), durationOf);
    return { after, cost: Math.max(0, makespan - freed.makespan) };
  });
}

/** Makes one phase of the phases at `at` and after it. */
function withoutBarrier(plan: Plan, at: number): Plan {
  const [kept, gone] = [plan.phases[at], plan.phases[at + 1]];
  if (kept === undefined || gone === undefined) return plan;
  return {
    ...plan,
    phases: plan.phases.filter((phase) => phase !== gone),
    tasks: plan.tasks.map((task) => (task.phase === gone ? { ...task, phase: kept } : task)),
  };
}

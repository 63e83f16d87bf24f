import type { DurationModel, Plan, Task } from '@parallel-executor/core';

/** A plan with how long its tasks are taken to last. */
export interface Workload {
  readonly plan: Plan;
  /** `tasks`: nothing is known, so every task counts as one. */
  readonly unit: 'ms' | 'tasks';
  /** Successful attempts the durations were learned from. */
  readonly samples: number;
  /** In `unit`; a milestone takes none. */
  readonly durationOf: (task: Task) => number;
}

/**
 * The workload of a plan. A plan that names no agent yet is taken as if every task had one: its shape is
 * what its author wants to see.
 */
export function workloadOf(written: Plan, model: DurationModel): Workload {
  const plan = written.tasks.some((task) => task.profile !== null)
    ? written
    : { ...written, tasks: written.tasks.map((task) => ({ ...task, profile: 'any' })) };
  return model.samples > 0
    ? {
        plan,
        unit: 'ms',
        samples: model.samples,
        durationOf: (task) => model.expectedMs(task) ?? 0,
      }
    : { plan, unit: 'tasks', samples: 0, durationOf: countAsOne };
}

/** A milestone does nothing. */
export function countAsOne(task: Task): number {
  return task.profile === null ? 0 : 1;
}

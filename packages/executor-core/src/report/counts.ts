import type { TaskId } from '../model/ids';
import type { PhaseView, RunCounts, Stage, TaskView } from './run-view';
import { isTaskInProgress, isTaskSettled } from './run-view';

/** Counts every task once (cancelled ones not at all); `cached` and `active` count again. */
export function countTasks(tasks: ReadonlyMap<TaskId, TaskView>, maxAgents: number): RunCounts {
  const all = [...tasks.values()];
  const count = (test: (task: TaskView) => boolean): number => all.filter(test).length;
  return {
    active: count((task) => task.inSlotSince !== null),
    max_agents: maxAgents,
    completed: count((task) => task.state === 'landed'),
    in_progress: count(isTaskInProgress),
    pending: count((task) => task.state === 'pending' || task.state === 'backoff'),
    failed: count((task) => task.state === 'failed'),
    blocked: count((task) => task.state === 'blocked'),
    conflicted: count((task) => task.state === 'conflicted'),
    cached: count((task) => task.cached),
  };
}

/** The stage a run is in. A plan without tasks is in stage 0 of 0. */
export function phaseOf(stages: readonly Stage[], tasks: ReadonlyMap<TaskId, TaskView>): PhaseView {
  const unsettled = (id: TaskId): boolean => {
    const task = tasks.get(id);
    return task !== undefined && !isTaskSettled(task);
  };
  const open = stages.findIndex((stage) => stage.tasks.some(unsettled));
  const index = open === -1 ? stages.length : open + 1;
  return { index, total: stages.length, name: stages[index - 1]?.name ?? '' };
}

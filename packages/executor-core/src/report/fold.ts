import type { LogNormal } from '../graph/log-normal';
import { buildTaskGraph } from '../graph/task-graph';
import { NO_COST } from '../model/cost';
import type { RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { countTasks, phaseOf } from './counts';
import { foldAhead, withoutEnded } from './fold-ahead';
import type { TaskEvent } from './fold-task';
import { applyTaskEvent } from './fold-task';
import type { RunView, TaskView } from './run-view';
import { workedMs } from './run-view';
import { stagesOf } from './stages';

/** The parts of a view that are folded; `counts` and `phase` follow from them. */
type Folded = Omit<RunView, 'counts' | 'phase' | 'tasks' | 'landed'>;

/**
 * Folds events one at a time at O(1) each; `view` is an immutable snapshot, made when asked for
 * (O(tasks)) and kept until the next event.
 *
 * Records of tasks the plan does not know are skipped: a journal may be read beside a newer plan.
 */
export class RunFold {
  #run: Folded;
  readonly #tasks: Map<TaskId, TaskView>;
  readonly #landed: TaskId[];
  #snapshot: RunView | null = null;

  /** Continues from `view`, which stays as it is. */
  constructor(view: RunView) {
    this.#run = view;
    this.#tasks = new Map(view.tasks);
    this.#landed = [...view.landed];
  }

  get view(): RunView {
    if (this.#snapshot === null) {
      const tasks = new Map(this.#tasks);
      this.#snapshot = {
        ...this.#run,
        tasks,
        landed: [...this.#landed],
        counts: countTasks(tasks, this.#run.maxAgents),
        phase: phaseOf(this.#run.stages, tasks),
      };
    }
    return this.#snapshot;
  }

  apply(event: RunEvent): this {
    this.#snapshot = null;
    if (event.type === 'run:resumed') this.#restartStays(event.at);
    this.#passTime(event);
    this.#run = {
      ...this.#run,
      ...runPatch(event),
      ...diskPatch(this.#run, event),
      ...requestPatch(this.#run, event),
      conflictsAhead: foldAhead(this.#run.conflictsAhead, event),
    };
    if ('task' in event) this.#applyToTask(event.task, event);
    return this;
  }

  /** Between a crash and its recovery nobody worked, so a resumption does not add to the integral. */
  #passTime(event: RunEvent): void {
    const last = this.#run.lastEventAt ?? event.at;
    const elapsed = event.type === 'run:resumed' ? 0 : Math.max(0, event.at - last);
    const { concurrency } = this.#run;
    this.#run = {
      ...this.#run,
      lastEventAt: Math.max(last, event.at),
      concurrency: { ...concurrency, slotMs: concurrency.slotMs + concurrency.active * elapsed },
    };
  }

  #applyToTask(id: TaskId, event: TaskEvent): void {
    const before = this.#tasks.get(id);
    if (before === undefined) return;
    const after = applyTaskEvent(before, event);
    this.#tasks.set(id, after);
    const conflictsAhead = withoutEnded(this.#run.conflictsAhead, id, after.state);
    if (conflictsAhead !== this.#run.conflictsAhead) this.#run = { ...this.#run, conflictsAhead };
    if (after.state === 'landed' && before.state !== 'landed') this.#landed.push(id);
    this.#countSlot(Number(after.inSlotSince !== null) - Number(before.inSlotSince !== null));
  }

  #countSlot(change: number): void {
    if (change === 0) return;
    const active = this.#run.concurrency.active + change;
    const peak = Math.max(this.#run.concurrency.peak, active);
    this.#run = { ...this.#run, concurrency: { ...this.#run.concurrency, active, peak } };
  }

  #restartStays(at: number): void {
    const last = this.#run.lastEventAt ?? at;
    for (const task of this.#tasks.values()) {
      if (task.inSlotSince === null) continue;
      const worked = workedMs(task, last);
      this.#tasks.set(task.id, { ...task, workedMs: worked, inSlotSince: at });
    }
  }
}

/** What is known beforehand about how long a task lasts. */
export type EstimateOf = (task: Task) => LogNormal | null;

/** The view before anything happened. */
export function emptyView(plan: Plan, estimate: EstimateOf = () => null): RunView {
  const tasks = new Map(plan.tasks.map((task) => [task.id, untouched(task)]));
  const { levels, nodes } = buildTaskGraph(plan.tasks, plan.phases);
  const expected = plan.tasks.flatMap((task) => {
    const duration = estimate(task);
    return duration === null ? [] : [[task.id, duration] as const];
  });
  const stages = stagesOf(plan, levels);
  const { maxAgents } = plan.settings;
  return {
    id: null,
    mode: 'running',
    modeReason: '',
    suspended: false,
    beforeDisk: null,
    outcome: null,
    startedAt: null,
    finishedAt: null,
    lastEventAt: null,
    maxAgents,
    base: null,
    target: null,
    targetCommit: null,
    targetHeld: null,
    pullRequests: [],
    conflictsAhead: [],
    concurrency: { active: 0, peak: 0, slotMs: 0 },
    landed: [],
    stages,
    order: nodes,
    expected: new Map(expected),
    tasks,
    counts: countTasks(tasks, maxAgents),
    phase: phaseOf(stages, tasks),
  };
}

/** One step of the fold, pure. For many events at once use `viewOf` or a `RunFold`. */
export function foldEvent(view: RunView, event: RunEvent): RunView {
  return new RunFold(view).apply(event).view;
}

/** The view after all of `events`, in journal order. */
export function viewOf(plan: Plan, events: Iterable<RunEvent>, estimate?: EstimateOf): RunView {
  const fold = new RunFold(emptyView(plan, estimate));
  for (const event of events) fold.apply(event);
  return fold.view;
}

const RUNNING = { mode: 'running', modeReason: '', suspended: false, beforeDisk: null } as const;

/** What an event changes about the run itself. */
function runPatch(event: RunEvent): Partial<Folded> {
  if (event.type === 'run:started') {
    const { run, at, maxAgents, base, target } = event;
    return { id: run, startedAt: at, maxAgents, base, target };
  }
  if (event.type === 'run:resumed') {
    return { ...RUNNING, outcome: null, finishedAt: null };
  }
  if (event.type === 'run:mode') {
    return { mode: event.mode, modeReason: event.reason, suspended: event.suspended === true };
  }
  if (event.type === 'run:resized') return { maxAgents: event.maxAgents };
  if (event.type === 'run:finished') return { outcome: event.outcome, finishedAt: event.at };
  if (event.type === 'target:advanced') {
    return { target: event.ref, targetCommit: event.commit, targetHeld: null };
  }
  if (event.type === 'target:held')
    return { target: event.ref, targetCommit: event.commit, targetHeld: event.reason };
  return {};
}

function requestPatch({ pullRequests }: Folded, event: RunEvent): Partial<Folded> {
  if (event.type !== 'pull-request') return {};
  const { remote, branch, base, commit, tasks, url, reason } = event;
  const others = pullRequests.filter((other) => other.branch !== branch);
  const told = { remote, branch, base, commit, tasks, url, reason };
  return { pullRequests: [...others, told] };
}

/** While the disk refuses, a run is paused; then it stands where it stood. */
function diskPatch(run: Folded, event: RunEvent): Partial<Folded> {
  const { mode, modeReason, beforeDisk } = run;
  if (event.type === 'disk:refused') {
    const before = beforeDisk ?? { mode, modeReason };
    return { mode: 'paused', modeReason: event.reason, beforeDisk: before };
  }
  if (event.type === 'disk:recovered' && beforeDisk !== null)
    return { ...beforeDisk, beforeDisk: null };
  return event.type === 'run:mode' || event.type === 'run:finished' ? { beforeDisk: null } : {};
}

function untouched(task: Task): TaskView {
  return {
    id: task.id,
    index: task.index,
    phase: task.phase,
    profile: task.profile,
    state: 'pending',
    stateSince: null,
    attempt: 0,
    slot: null,
    lastSlot: null,
    startedAt: null,
    attemptStartedAt: null,
    finishedAt: null,
    workedMs: 0,
    inSlotSince: null,
    progress: null,
    note: '',
    waitingFor: [],
    retryAt: null,
    failure: null,
    failedAttempt: null,
    salvage: null,
    cost: NO_COST,
    attemptCost: NO_COST,
    attempts: [],
    healing: null,
    base: null,
    blockedBy: null,
    cancelledBy: null,
    conflictPaths: [],
    candidate: null,
    worktree: null,
    sandbox: null,
    branch: null,
    cached: false,
    commit: null,
    resolved: [],
  };
}

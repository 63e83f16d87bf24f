import type {
  ConflictEdge,
  DurationModel,
  ForecastEvidence,
  ForecastPair,
  Plan,
  Task,
  TaskGraph,
} from '@parallel-executor/core';
import {
  buildTaskGraph,
  conflictEdges,
  conflictForecast,
  countText,
  criticalPath,
  findParallelizableTasks,
  predictRun,
  workAndSpan,
} from '@parallel-executor/core';
import { barrierCosts, type BarrierCost } from './barrier-costs';
import { fewestAsGood } from './simulation';
import { countAsOne, workloadOf, type Workload } from './workload';

/** Conflicts beyond this many are counted, not listed: undeclared writes make them quadratic. */
const MOST_CONFLICTS = 500;
/** Larger plans are not played through again and again. */
const MOST_PLAYED = 1000;
/** Nothing but the plan is known. */
const NO_EVIDENCE: ForecastEvidence = { commits: [], projects: null };

export type ConflictSchedule =
  | 'one after the other'
  | 'at once, merged afterwards'
  | 'at once, a conflict waits for a person'
  | 'at once, the higher priority wins a conflict'
  | 'at once, the newer change wins a conflict';

/** What `plan --json` prints: the shape of a run before anything runs. Keys change by addition only. */
export interface Forecast {
  readonly schemaVersion: 1;
  readonly file: string | null;
  readonly max_agents: number;
  readonly tasks: readonly {
    readonly id: string;
    readonly agent: string | null;
    readonly phase: string | null;
    readonly priority: number;
    readonly depends_on: readonly string[];
    readonly writes_declared: boolean;
  }[];
  readonly phases: readonly string[];
  readonly levels: readonly (readonly string[])[];
  /** Tasks that can run at the same time without competing for files or resources. */
  readonly groups: readonly {
    readonly tasks: readonly string[];
    readonly estimated_speedup: number;
  }[];
  readonly conflicts: readonly {
    readonly a: string;
    readonly b: string;
    readonly why: ConflictEdge['why'];
    readonly scheduled: ConflictSchedule;
  }[];
  /** `true` when there are more conflicts than are listed. */
  readonly more_conflicts: boolean;
  /** The pairs most likely to get into each other's way, likeliest first. */
  readonly conflict_forecast: readonly ForecastPair[];
  readonly conflict_resolution: Plan['settings']['conflictPolicy'];
  /** Total work W and span S in tasks, milestones not counted; `parallelism` is W/S. */
  readonly work: number;
  readonly span: number;
  readonly parallelism: number;
  readonly critical_path: readonly string[];
  /** `learned`: from earlier attempts; `unknown`: every task counts as one. */
  readonly durations: 'learned' | 'unknown';
  /** What learned durations make of it, in ms; `null` while they are unknown. */
  readonly expected: {
    readonly work_ms: number;
    readonly span_ms: number;
    readonly makespan_ms: number;
  } | null;
  /** What each barrier adds to the makespan, in `ms` or in `tasks`; `null`: not played through. */
  readonly barriers: readonly BarrierCost[] | null;
  readonly unit: Workload['unit'];
  /** The fewest agents that finish about as fast as all that are allowed. */
  readonly useful_agents: number;
  readonly estimated_speedup: number;
  /** How worktrees are made ready; `by_default`: the plan does not say. */
  readonly setup: {
    readonly copy: readonly string[];
    readonly link: readonly string[];
    readonly run: readonly string[];
    readonly hardlink: readonly string[];
    readonly by_default: boolean;
  };
  readonly warnings: readonly string[];
}

/** Computes the forecast: played through with learned durations, or with every task counted as one. */
export function forecast(
  written: Plan,
  model: DurationModel,
  evidence: ForecastEvidence = NO_EVIDENCE,
): Forecast {
  const workload = workloadOf(written, model);
  const { plan, unit, durationOf } = workload;
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const { work, span } = workAndSpan(graph, countAsOne);
  const timed = workAndSpan(graph, durationOf);
  const parallelism = timed.span === 0 ? 1 : hundredths(timed.work / timed.span);
  const prediction = predictRun(plan, durationOf);
  const useful = usefulAgents(workload, graph);
  return {
    schemaVersion: 1,
    file: plan.file,
    max_agents: plan.settings.maxAgents,
    tasks: written.tasks.map(taskEntry),
    phases: plan.phases,
    levels: graph.levels,
    groups: groupsOf(plan),
    ...conflictsOf(plan, graph),
    conflict_forecast: conflictForecast(
      graph,
      evidence,
      plan.settings.conflictPolicy,
      durationOf,
    ).slice(0, MOST_CONFLICTS),
    conflict_resolution: plan.settings.conflictPolicy,
    work,
    span,
    parallelism,
    critical_path: criticalPath(graph, durationOf),
    durations: unit === 'ms' ? 'learned' : 'unknown',
    expected:
      unit === 'ms'
        ? {
            work_ms: Math.round(timed.work),
            span_ms: Math.round(timed.span),
            makespan_ms: Math.round(prediction.makespan),
          }
        : null,
    barriers: barrierCosts(workload, prediction.makespan),
    unit,
    useful_agents: useful,
    estimated_speedup: hundredths(prediction.speedup),
    setup: setupOf(plan),
    warnings: warningsOf(plan, parallelism, useful),
  };
}

function setupOf({ settings }: Plan): Forecast['setup'] {
  const { copy, hardlink = [], link, run, byDefault = false } = settings.setup;
  return { copy, hardlink, link, run, by_default: byDefault };
}

function groupsOf(plan: Plan): Forecast['groups'] {
  const working = plan.tasks.filter((task) => task.profile !== null);
  const ignoreAccess = plan.settings.conflictPolicy !== 'wait';
  return findParallelizableTasks(working, { ignoreAccess }).map((group) => ({
    tasks: group.tasks.map((task) => task.id),
    estimated_speedup: group.estimated_speedup,
  }));
}

function conflictsOf(plan: Plan, graph: TaskGraph): Pick<Forecast, 'conflicts' | 'more_conflicts'> {
  const found = conflictEdges(graph, MOST_CONFLICTS + 1);
  const policy = plan.settings.conflictPolicy;
  return {
    conflicts: found
      .slice(0, MOST_CONFLICTS)
      .map((edge) => ({ ...edge, scheduled: scheduleOf(edge, policy) })),
    more_conflicts: found.length > MOST_CONFLICTS,
  };
}

function taskEntry(task: Task): Forecast['tasks'][number] {
  return {
    id: task.id,
    agent: task.profile,
    phase: task.phase,
    priority: task.priority,
    depends_on: task.dependsOn,
    writes_declared: task.writesDeclared,
  };
}

function scheduleOf(edge: ConflictEdge, policy: Forecast['conflict_resolution']): ConflictSchedule {
  if (edge.why === 'resource') return 'one after the other';
  switch (policy) {
    case 'wait':
      return 'one after the other';
    case 'auto_merge':
      return 'at once, merged afterwards';
    case 'manual':
      return 'at once, a conflict waits for a person';
    case 'priority':
      return 'at once, the higher priority wins a conflict';
    case 'theirs-if-newer':
      return 'at once, the newer change wins a conflict';
  }
}

/** The fewest agents that finish about as fast as all that are allowed; at most the widest level. */
function usefulAgents(workload: Workload, { levels, task }: TaskGraph): number {
  const widths = levels.map((level) => level.filter((id) => task(id).profile !== null).length);
  const widest = Math.max(1, ...widths);
  const most = Math.min(workload.plan.settings.maxAgents, widest);
  return workload.plan.tasks.length > MOST_PLAYED ? most : fewestAsGood(workload, most);
}

function warningsOf(plan: Plan, parallelism: number, useful: number): readonly string[] {
  const warnings: string[] = [];
  const working = plan.tasks.filter((task) => task.profile !== null);
  const { maxAgents, conflictPolicy } = plan.settings;
  if (maxAgents > useful && working.length > 0) {
    warnings.push(
      `${countText(maxAgents, 'agent')} are allowed, and ${useful} would be done about as soon (W/S = ${parallelism}). "parallel-cli simulate" tells what each number of agents gives.`,
    );
  }
  const undeclared = working.filter((task) => !task.writesDeclared);
  if (undeclared.length > 0 && conflictPolicy === 'wait') {
    warnings.push(
      `No writes are declared for ${undeclared.map((task) => task.id).join(', ')}: such a task runs alone. Declare "writes" to let others run beside it.`,
    );
  }
  return warnings;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

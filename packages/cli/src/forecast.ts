import type { ConflictEdge, Plan, Task, TaskGraph } from '@parallel-executor/core';
import {
  bottomLevels,
  buildTaskGraph,
  conflictEdges,
  criticalPath,
  findParallelizableTasks,
  workAndSpan,
} from '@parallel-executor/core';
import { countRounds } from './rounds';

/** Conflicts beyond this many are counted, not listed: undeclared writes make them quadratic. */
const MOST_CONFLICTS = 500;
const MOST_SIMULATED = 200_000;

export type ConflictSchedule = 'one after the other' | 'at once, merged afterwards';

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
  readonly conflict_resolution: Plan['settings']['conflictPolicy'];
  /** Total work W and span S in tasks, milestones not counted; `parallelism` is W/S. */
  readonly work: number;
  readonly span: number;
  readonly parallelism: number;
  readonly critical_path: readonly string[];
  readonly estimated_speedup: number;
  readonly warnings: readonly string[];
}

/**
 * Computes the forecast. Durations are not known before a run: every task counts as one. A plan that
 * names no agent yet is shown as if every task had one: its shape is what its author wants to see.
 */
export function forecast(written: Plan): Forecast {
  const plan = written.tasks.some((task) => task.profile !== null) ? written : withAgents(written);
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const { work, span } = workAndSpan(graph, weight);
  const policy = plan.settings.conflictPolicy;
  const conflicts = conflictEdges(graph, MOST_SIMULATED);
  const { maxAgents } = plan.settings;
  const groups = findParallelizableTasks(
    plan.tasks.filter((task) => task.profile !== null),
    { ignoreAccess: policy !== 'wait' },
  );
  return {
    schemaVersion: 1,
    file: plan.file,
    max_agents: maxAgents,
    tasks: written.tasks.map(taskEntry),
    phases: plan.phases,
    levels: graph.levels,
    groups: groups.map((group) => ({
      tasks: group.tasks.map((task) => task.id),
      estimated_speedup: group.estimated_speedup,
    })),
    conflicts: conflicts
      .slice(0, MOST_CONFLICTS)
      .map((edge) => ({ ...edge, scheduled: scheduleOf(edge, policy) })),
    more_conflicts: conflicts.length > MOST_CONFLICTS,
    conflict_resolution: policy,
    work,
    span,
    parallelism: span === 0 ? 1 : hundredths(work / span),
    critical_path: criticalPath(graph, weight),
    estimated_speedup: speedupOf(
      plan,
      graph,
      conflicts.filter((edge) => scheduleOf(edge, policy) === 'one after the other'),
    ),
    warnings: warningsOf(plan, graph.levels),
  };
}

function withAgents(plan: Plan): Plan {
  return { ...plan, tasks: plan.tasks.map((task) => ({ ...task, profile: 'any' })) };
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
  const together = policy !== 'wait' && edge.why !== 'resource';
  return together ? 'at once, merged afterwards' : 'one after the other';
}

function warningsOf(plan: Plan, levels: Forecast['levels']): readonly string[] {
  const warnings: string[] = [];
  const working = new Set(
    plan.tasks.filter((task) => task.profile !== null).map((task) => task.id),
  );
  const widest = Math.max(
    0,
    ...levels.map((level) => level.filter((id) => (working as ReadonlySet<string>).has(id)).length),
  );
  const { maxAgents, conflictPolicy } = plan.settings;
  if (maxAgents > widest && widest > 0) {
    warnings.push(
      `${maxAgents} agents are allowed, but no level has more than ${widest} task${widest === 1 ? '' : 's'}: more agents than that are unlikely to help.`,
    );
  }
  const undeclared = plan.tasks.filter((task) => task.profile !== null && !task.writesDeclared);
  if (undeclared.length > 0 && conflictPolicy === 'wait') {
    warnings.push(
      `No writes are declared for ${undeclared.map((task) => task.id).join(', ')}: such a task runs alone. Declare "writes" to let others run beside it.`,
    );
  }
  return warnings;
}

/** One agent's time over the makespan of a simulated schedule under dependencies, barriers and leases. */
function speedupOf(plan: Plan, graph: TaskGraph, exclusions: readonly ConflictEdge[]): number {
  const paths = bottomLevels(graph, weight);
  const { maxAgents } = plan.settings;
  const rounds = countRounds(plan, exclusions, maxAgents, (task) => -(paths.get(task.id) ?? 0));
  return rounds === 0 ? 1 : hundredths(workAndSpan(graph, weight).work / rounds);
}

/** A milestone does nothing. */
function weight(task: Task): number {
  return task.profile === null ? 0 : 1;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

import type { DurationModel, Plan } from '@parallel-executor/core';
import {
  buildTaskGraph,
  criticalPath,
  predictRun,
  withAgents,
  workAndSpan,
} from '@parallel-executor/core';
import { workloadOf, type Workload } from './workload';

/** A run this much longer than the shortest one is as good as the shortest. */
const AS_GOOD = 1.02;
/** So many plays of a task are fast enough to try every number of agents. */
const MOST_PLAYED = 2500;

/** What `simulate --json` prints. Keys change by addition only; times are in `unit`. */
export interface Simulation {
  readonly schemaVersion: 1;
  readonly file: string | null;
  readonly durations: 'learned' | 'unknown';
  /** Successful attempts the durations were learned from. */
  readonly samples: number;
  readonly unit: Workload['unit'];
  readonly tasks: number;
  readonly work: number;
  readonly span: number;
  readonly parallelism: number;
  readonly critical_path: readonly string[];
  readonly runs: readonly SimulatedRun[];
  /** The fewest agents whose run is within 2 % of the shortest one tried. */
  readonly best: SimulatedRun | null;
}

export interface SimulatedRun {
  readonly agents: number;
  readonly makespan: number;
  /** Against one agent that never waits. */
  readonly speedup: number;
  /** 0 to 1. */
  readonly utilisation: number;
  readonly peak: number;
  /** No schedule on so many agents is shorter: the critical path, or the work they share. */
  readonly lower_bound: number;
}

/** Plays the plan through with each number of agents (each at least 1; repetitions are dropped). */
export function simulate(
  written: Plan,
  model: DurationModel,
  agents: readonly number[],
): Simulation {
  const workload = workloadOf(written, model);
  const { plan, unit, samples, durationOf } = workload;
  const graph = buildTaskGraph(plan.tasks, plan.phases);
  const { work, span } = workAndSpan(graph, durationOf);
  const asked = [...new Set(agents)].sort((a, b) => a - b);
  const tried = (counts: readonly number[]): readonly SimulatedRun[] =>
    counts.map((count) => tryWith(workload, count, Math.max(span, work / count)));
  const runs = tried(asked);
  return {
    schemaVersion: 1,
    file: plan.file,
    durations: unit === 'ms' ? 'learned' : 'unknown',
    samples,
    unit,
    tasks: plan.tasks.length,
    work: hundredths(work),
    span: hundredths(span),
    parallelism: span === 0 ? 1 : hundredths(work / span),
    critical_path: criticalPath(graph, durationOf),
    runs,
    best: fewestGood([...runs, ...tried(moreToTry(plan, asked))]),
  };
}

/** The fewest agents whose run is within 2 % of the shortest one on at most `most` agents. */
export function fewestAsGood(workload: Workload, most: number): number {
  const counts = [most, ...moreToTry(workload.plan, [most])];
  return fewestGood(counts.map((count) => tryWith(workload, count, 0)))?.agents ?? most;
}

function tryWith({ plan, durationOf }: Workload, agents: number, bound: number): SimulatedRun {
  const run = predictRun(withAgents(plan, agents), durationOf);
  return {
    agents,
    makespan: hundredths(run.makespan),
    speedup: hundredths(run.speedup),
    utilisation: hundredths(run.utilisation),
    peak: run.peak,
    lower_bound: hundredths(bound),
  };
}

/** Every number of agents up to the most that was asked for, as far as that is quickly played. */
function moreToTry(plan: Plan, asked: readonly number[]): readonly number[] {
  const tasks = Math.max(1, plan.tasks.length);
  const most = Math.min(Math.max(...asked), tasks);
  const step = Math.ceil((most * tasks) / MOST_PLAYED);
  const all = Array.from({ length: Math.floor(most / step) }, (_, at) => (at + 1) * step);
  return all.filter((count) => !asked.includes(count));
}

function fewestGood(runs: readonly SimulatedRun[]): SimulatedRun | null {
  const shortest = Math.min(...runs.map((run) => run.makespan));
  const good = runs.filter((run) => run.makespan <= shortest * AS_GOOD);
  return good.sort((a, b) => a.agents - b.agents)[0] ?? null;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

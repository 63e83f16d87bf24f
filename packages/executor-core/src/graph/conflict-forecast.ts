import type { TaskId } from '../model/ids';
import type { ConflictPolicy, Task } from '../model/task';
import { ownerOf, type ProjectNode } from './affected';
import { coChanges } from './co-change';
import { orderedBefore } from './conflict-edges';
import { conflictPairs } from './conflict-pairs';
import type { WeightOf } from './critical-path';
import { forecastOffer, type ForecastOffer } from './forecast-offer';
import { parseGlob } from './glob-pattern';
import { landingPreference } from './landing-preference';
import { globsOverlap, splitExclusions } from './path-overlap';
import type { TaskGraph } from './task-graph';

/** What a repository tells about a plan, beside the plan itself. */
export interface ForecastEvidence {
  /** The paths that each of the last commits touched. */
  readonly commits: readonly (readonly string[])[];
  /** The build graph; `null` where none is known. */
  readonly projects: readonly ProjectNode[] | null;
}

export interface ForecastReason {
  /** `writes`: both may write a file; `reads`: one reads what the other writes. */
  readonly kind: 'writes' | 'reads' | 'projects' | 'history';
  /** For people. */
  readonly detail: string;
}

/** Two tasks that may run at the same time, and are likely to get into each other's way. */
export interface ForecastPair {
  /** In plan order. */
  readonly tasks: readonly [TaskId, TaskId];
  /** 0 to 1, to rank by: it is no probability. */
  readonly score: number;
  /** At least one, the weightiest first. */
  readonly reasons: readonly ForecastReason[];
  readonly offer: ForecastOffer;
}

interface Weighed extends ForecastReason {
  readonly weight: number;
}

/** How much each reason says; history says itself how much. */
const WEIGHTS = { writes: 0.9, reads: 0.4, projects: 0.3 } as const;
/** So many pairs are looked at for each reason; beyond, no list is of use to anybody. */
const MOST_PAIRS = 5000;

/**
 * The pairs of tasks that nothing keeps from running at once and that declared files, the build graph or
 * history say will meet; likeliest first, then in plan order. Tasks that do not declare what they write
 * are left out, as nothing can be told of them. Reasons add up as independent chances do (noisy or).
 * Symmetric in the two tasks; deterministic.
 */
export function conflictForecast(
  graph: TaskGraph,
  evidence: ForecastEvidence,
  policy: ConflictPolicy,
  weightOf: WeightOf,
): readonly ForecastPair[] {
  const { tasks } = graph;
  const ordered = orderedBefore(graph.nodes);
  const speaks = (at: number): boolean => {
    const task = tasks[at];
    return task !== undefined && task.writesDeclared && task.access.writes.length > 0;
  };
  const isOpen = (a: number, b: number): boolean =>
    a !== b && speaks(a) && speaks(b) && !ordered(a, b) && !ordered(b, a);
  const found = new Map<number, Weighed[]>();
  const note = (one: number, other: number, reason: Weighed): void => {
    if (!isOpen(one, other)) return;
    const key = Math.min(one, other) * tasks.length + Math.max(one, other);
    const reasons = found.get(key) ?? [];
    if (!reasons.some(({ kind }) => kind === reason.kind)) found.set(key, [...reasons, reason]);
  };
  noteOverlaps(tasks, isOpen, note);
  noteHistory(tasks, evidence.commits, note);
  if (evidence.projects !== null) noteProjects(tasks, evidence.projects, note);
  const prefer = landingPreference(graph, weightOf);
  const pairs = [...found].flatMap(([key, reasons]) => {
    const [a, b] = [tasks[Math.floor(key / tasks.length)], tasks[key % tasks.length]];
    if (a === undefined || b === undefined) return [];
    const [first, second] = prefer(a.id, b.id) <= 0 ? [a, b] : [b, a];
    const offer = forecastOffer(first, second, policy);
    return [{ key, pair: { tasks: [a.id, b.id] as const, ...weigh(reasons), offer } }];
  });
  return pairs
    .sort((one, other) => other.pair.score - one.pair.score || one.key - other.key)
    .map(({ pair }) => pair);
}

function weigh(reasons: readonly Weighed[]): Pick<ForecastPair, 'score' | 'reasons'> {
  const sorted = [...reasons].sort((one, other) => other.weight - one.weight);
  const apart = reasons.reduce((product, { weight }) => product * (1 - weight), 1);
  return {
    score: Math.round((1 - apart) * 100) / 100,
    reasons: sorted.map(({ kind, detail }) => ({ kind, detail })),
  };
}

type Note = (one: number, other: number, reason: Weighed) => void;

function noteOverlaps(
  tasks: readonly Task[],
  isOpen: (a: number, b: number) => boolean,
  note: Note,
): void {
  let left = MOST_PAIRS;
  const claims = tasks.map(({ access }) => ({ access, resources: [] }));
  for (const { a, b, why } of conflictPairs(claims, isOpen)) {
    const [one, other] = [tasks[a], tasks[b]];
    if (one === undefined || other === undefined) continue;
    const detail =
      why === 'write/write'
        ? `both write ${meetingText(one.access.writes, other.access.writes)}`
        : (readText(one, other) ?? readText(other, one) ?? 'one reads what the other writes');
    const kind = why === 'write/write' ? 'writes' : 'reads';
    note(a, b, { kind, weight: WEIGHTS[kind], detail });
    left -= 1;
    if (left === 0) return;
  }
}

function readText(reader: Task, writer: Task): string | null {
  const met = meeting(reader.access.reads, writer.access.writes);
  return met === null ? null : `${reader.id} reads ${met[0]}, which ${writer.id} writes`;
}

function meetingText(one: readonly string[], other: readonly string[]): string {
  const [left, right] = meeting(one, other) ?? ['the same files', 'the same files'];
  return left === right ? left : `${left} and ${right}`;
}

/** The first globs of two lists that have a common path. */
function meeting(
  one: readonly string[],
  other: readonly string[],
): readonly [string, string] | null {
  const right = splitExclusions(other).included;
  for (const a of splitExclusions(one).included) {
    const b = right.find((glob) => globsOverlap(a, glob));
    if (b !== undefined) return [a, b];
  }
  return null;
}

function noteHistory(
  tasks: readonly Task[],
  commits: ForecastEvidence['commits'],
  note: Note,
): void {
  const sets = tasks.map((task) => (task.writesDeclared ? task.access.writes : []));
  for (const { a, b, together, rarer } of coChanges(sets, commits)) {
    const detail = `files of both changed in ${together} of ${rarer} commits`;
    note(a, b, { kind: 'history', weight: together / rarer, detail });
  }
}

/** One task is about a project that the project of the other is built from, directly. */
function noteProjects(tasks: readonly Task[], projects: readonly ProjectNode[], note: Note): void {
  const workers = new Map<string, number[]>();
  tasks.forEach((task, at) => {
    for (const name of projectsOf(task, projects)) {
      const others = workers.get(name);
      if (others === undefined) workers.set(name, [at]);
      else others.push(at);
    }
  });
  let left = MOST_PAIRS;
  for (const { name, dependsOn } of projects) {
    for (const used of dependsOn) {
      const detail = `project ${name} is built from project ${used}`;
      for (const one of workers.get(name) ?? []) {
        for (const other of workers.get(used) ?? []) {
          if (left === 0) return;
          left -= 1;
          note(one, other, { kind: 'projects', weight: WEIGHTS.projects, detail });
        }
      }
    }
  }
}

/** The projects a task says it writes in; a glob that is wider than a project tells nothing. */
function projectsOf(task: Task, projects: readonly ProjectNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  if (!task.writesDeclared) return names;
  if (task.project !== null) names.add(task.project);
  for (const glob of splitExclusions(task.access.writes).included) {
    for (const { prefix } of parseGlob(glob) ?? []) {
      const owner = ownerOf(projects, `${prefix.join('/')}/`);
      if (owner !== null) names.add(owner.name);
    }
  }
  return names;
}

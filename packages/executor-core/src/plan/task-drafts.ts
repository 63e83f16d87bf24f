import { taskIdProblem } from '../model/ids';
import { checkCase, checkName } from './check-names';
import type { CheckedFile } from './check-schema';
import {
  childOf,
  entriesOf,
  itemsOf,
  type Located,
  type LocatedScalar,
  type Span,
} from './located';
import type { PlanFileTask } from './plan-schema';
import type { Report } from './report';

/** A glob or a name with the place where it was written. */
export interface Placed {
  readonly text: string;
  readonly span: Span;
}

/** A task on its way into the plan: what the file says about it, wherever it says it. */
export interface TaskDraft {
  readonly id: string;
  /** 0-based position in the plan. */
  readonly index: number;
  /** Slot the task prefers: plan order, round robin. */
  readonly homeSlot: number;
  /** Where the task is named first. */
  readonly span: Span;
  readonly given: PlanFileTask;
  readonly node: Located | null;
  readonly dependsOn: readonly Placed[];
  readonly reads: Placed[];
  readonly writes: Placed[];
  /** `true` once any `writes` are given, by the task or by `locks`. */
  hasWrites: boolean;
}

/**
 * One draft for each task: the keys of `tasks:` and `graph:`, each once, whichever section comes first
 * in the file giving the order. Tasks with ids that cannot be used are reported and left out.
 */
export function draftTasks(
  { file, root }: CheckedFile,
  report: Report,
  maxAgents: number,
): readonly TaskDraft[] {
  const graph = childOf(root, 'graph');
  const named = new Map<string, Span>();
  const places: (readonly [string, Span])[] = [];
  for (const [section, { value }] of entriesOf(root)) {
    if (section !== 'tasks' && section !== 'graph') continue;
    for (const [id, entry] of entriesOf(value)) {
      if (named.has(id) || !checkName(report, 'task id', id, entry.key, taskIdProblem)) continue;
      named.set(id, entry.key);
      places.push([id, entry.key]);
    }
  }
  checkCase(report, 'task id', places);
  const tasks = childOf(root, 'tasks');
  return places.map(([id, span], index) => {
    const node = childOf(tasks, id);
    const writes = childOf(node, 'writes');
    return {
      id,
      index,
      homeSlot: (index % maxAgents) + 1,
      span,
      given: file.tasks?.[id] ?? {},
      node,
      dependsOn: unique(placed(childOf(node, 'depends_on')).concat(placed(childOf(graph, id)))),
      reads: placed(childOf(node, 'reads')),
      writes: placed(writes),
      hasWrites: writes !== null,
    };
  });
}

/** The texts of a list with their places, in an array of the caller's own. */
export function placed(node: Located | null): Placed[] {
  const items = itemsOf(node);
  const isScalar = (item: Located): item is LocatedScalar => item.kind === 'scalar';
  return items.every(isScalar) ? items.slice() : items.filter(isScalar);
}

/** The first of each text. */
export function unique(items: readonly Placed[]): readonly Placed[] {
  if (areDistinct(items)) return items;
  const seen = new Set<string>();
  return items.filter(({ text }) => !seen.has(text) && seen.add(text));
}

/** `true` for a short list without repetitions, which nearly every list is. */
function areDistinct(items: readonly Placed[]): boolean {
  if (items.length > 8) return false;
  return items.every(({ text }, at) => {
    for (let other = 0; other < at; other += 1) if (items[other]?.text === text) return false;
    return true;
  });
}

import type { Resource } from '../model/access';
import type { CheckedFile } from './check-schema';
import { closestName } from './did-you-mean';
import { childOf, itemsOf } from './located';
import type { Report } from './report';
import type { TaskDraft } from './task-drafts';

/** How much there is of each counted resource. */
export interface Capacities {
  readonly known: ReadonlyMap<string, number>;
  /** `true` when the entry, or the whole section, was left out as wrong. */
  readonly isLeftOut: (id: string) => boolean;
}

const NONE: readonly Resource[] = [];

/** What the plan says about counted resources. */
export function capacitiesOf({ file, isLeftOut }: CheckedFile): Capacities {
  const given = Object.entries(file.resource_strategies?.resources ?? {});
  return {
    known: new Map(given.map(([id, limit]) => [id, limit.max_parallel])),
    isLeftOut: (id) => isLeftOut('resource_strategies', 'resources', id),
  };
}

/**
 * What a task competes for. A resource with a capacity is counted: the task takes `amount` of it, or
 * all of it where it is exclusive. What can never be granted is reported.
 */
export function buildResources(
  draft: TaskDraft,
  capacities: Capacities,
  report: Report,
): readonly Resource[] {
  if (draft.given.required_resources === undefined) return NONE;
  const items = itemsOf(childOf(draft.node, 'required_resources'));
  const seen = new Set<string>();
  return draft.given.required_resources.map((given, at) => {
    const { id, exclusive, amount } = given;
    const capacity = capacities.known.get(id);
    const problem = problemOf(draft.id, { ...given, capacity, isRepeated: seen.has(id) });
    seen.add(id);
    if (problem !== null && !capacities.isLeftOut(id)) {
      const place = items[at] ?? null;
      const span = (childOf(place, 'amount') ?? childOf(place, 'id') ?? place)?.span ?? null;
      const fix = problem.fix ?? declare(id, amount, [...capacities.known.keys()]);
      report.error('bad-amount', span, problem.message, fix);
    }
    const isExclusive = exclusive === true;
    return capacity === undefined
      ? { id, exclusive: isExclusive }
      : { id, exclusive: isExclusive, amount: amount ?? 1, capacity };
  });
}

interface Request {
  readonly id: string;
  readonly exclusive?: boolean | undefined;
  readonly amount?: number | undefined;
  readonly capacity: number | undefined;
  readonly isRepeated: boolean;
}

function problemOf(
  task: string,
  { id, exclusive, amount, capacity, isRepeated }: Request,
): { readonly message: string; readonly fix: string | null } | null {
  if (amount !== undefined && capacity === undefined) {
    const message = `Task "${task}" takes ${amount} of ${id}, which has no capacity.`;
    return { message, fix: null };
  }
  if (amount !== undefined && exclusive === true) {
    const message = `Task "${task}" wants ${id} exclusively and gives an amount as well.`;
    return { message, fix: 'Remove one of the two: exclusive takes all of it.' };
  }
  if (capacity === undefined) return null;
  if (amount !== undefined && amount > capacity) {
    const message = `Task "${task}" takes ${amount} of ${id}, of which there are ${capacity}: it could never start.`;
    const fix = `Take at most ${capacity}, or raise resource_strategies.resources.${id}.`;
    return { message, fix };
  }
  return isRepeated
    ? { message: `Task "${task}" names ${id} twice.`, fix: 'Name it once, with the whole amount.' }
    : null;
}

function declare(id: string, amount = 1, known: readonly string[]): string {
  const near = closestName(id, known);
  return near === null
    ? `Add resource_strategies: { resources: { ${id}: { max_parallel: ${amount} } } }.`
    : `Did you mean ${JSON.stringify(near)}?`;
}

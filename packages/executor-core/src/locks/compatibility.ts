import { accessConflict } from '../graph/path-overlap';
import type { Access, Resource } from '../model/access';
import type { ConflictPolicy } from '../model/task';

/** What a task wants to hold, or holds. */
export interface Demand {
  readonly access: Access;
  readonly resources: readonly Resource[];
  /** What the task's plan says about overlapping writers. */
  readonly policy: ConflictPolicy;
}

/** What of a counted resource `demand` takes: at least as much as makes it the only holder. */
function takenBy({ resources }: Demand, id: string, capacity: number): number {
  const asked = resources.filter((one) => one.id === id && !one.exclusive);
  return Math.min(
    capacity,
    asked.reduce((sum, { amount = 1 }) => sum + amount, 0),
  );
}

/**
 * Those among `ahead` that share a counted resource with `request` and leave too little of it; empty
 * when there is enough of everything. Who asks for more than there is gets all of it, alone.
 */
export function shortOf<T extends Demand>(request: Demand, ahead: readonly T[]): readonly T[] {
  return request.resources.flatMap(({ id, exclusive, capacity = null }) => {
    if (exclusive || capacity === null) return [];
    const users = ahead.filter((other) => takenBy(other, id, capacity) > 0);
    const used = users.reduce((sum, other) => sum + takenBy(other, id, capacity), 0);
    return used + takenBy(request, id, capacity) > capacity ? users : [];
  });
}

/**
 * `true` when `request` may not be granted while `holder` is. Symmetric. Where both plans have a
 * policy for overlapping writers, files never exclude: the merge queue settles it. An exclusive
 * resource excludes whatever the policy, and everyone who wants the same one, exclusively or not. What
 * is counted is not a matter of two: see `shortOf`. `overlap`: `accessConflict`, or what remembers it.
 */
export function conflictsWith(
  request: Demand,
  holder: Demand,
  overlap: (a: Access, b: Access) => boolean = accessConflict,
): boolean {
  if (resourcesConflict(request.resources, holder.resources)) return true;
  if (settledByMerging(request) && settledByMerging(holder)) return false;
  return overlap(request.access, holder.access);
}

function resourcesConflict(a: readonly Resource[], b: readonly Resource[]): boolean {
  return a.some((one) =>
    b.some((other) => one.id === other.id && (one.exclusive || other.exclusive)),
  );
}

function settledByMerging(demand: Demand): boolean {
  switch (demand.policy) {
    case 'wait':
      return false;
    case 'auto_merge':
    case 'manual':
    case 'priority':
    case 'theirs-if-newer':
      return true;
  }
}

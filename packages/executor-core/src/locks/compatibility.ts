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

/**
 * `true` when `request` may not be granted while `holder` is. Symmetric. Where both plans have a
 * policy for overlapping writers, files never exclude: the merge queue settles it. An exclusive
 * resource excludes whatever the policy, and everyone who wants the same one, exclusively or not.
 */
export function conflictsWith(request: Demand, holder: Demand): boolean {
  if (resourcesConflict(request.resources, holder.resources)) return true;
  if (settledByMerging(request) && settledByMerging(holder)) return false;
  return accessConflict(request.access, holder.access);
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
      return true;
  }
}

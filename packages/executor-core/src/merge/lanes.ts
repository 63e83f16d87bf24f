import type { Affected } from '../graph/affected';
import { meets, union } from '../graph/affected';

export interface Placement<Item> {
  readonly item: Item;
  /** Index of the lane it joins; from the number of lanes there were on, it is a new one. */
  readonly lane: number;
  readonly affected: Affected;
}

/**
 * Which lane each item joins, in their order: the one lane it meets, or a new one. An item that would
 * tie two lanes together waits until one of them is through, and what meets a waiting item waits
 * behind it, so that nobody is overtaken for ever; such items are left out.
 */
export function placeInLanes<Item>(
  items: readonly { readonly item: Item; readonly affected: Affected }[],
  lanes: readonly Affected[],
): readonly Placement<Item>[] {
  const taken = [...lanes];
  const placed: Placement<Item>[] = [];
  let waiting: Affected = new Set();
  for (const { item, affected } of items) {
    const met = taken.flatMap((lane, index) => (meets(lane, affected) ? [index] : []));
    if (met.length > 1 || meets(waiting, affected)) {
      waiting = union(waiting, affected);
      continue;
    }
    const [lane = taken.length] = met;
    placed.push({ item, lane, affected });
    taken[lane] = union(taken[lane] ?? new Set(), affected);
  }
  return placed;
}

import { parseGlob } from '../graph/glob-pattern';
import { accessConflict, splitExclusions } from '../graph/path-overlap';
import type { Access } from '../model/access';
import type { Plan, Task } from '../model/task';
import { NOWHERE, TaskPlaces, type Places } from './task-places';

/** Most remembered answers; beyond, they are found again. */
const MAX_KNOWN = 500_000;

/** Globs of tasks that were given more write room than the plan says, by plan index. */
export type ExtraWrites = ReadonlyMap<number, readonly string[]>;

/** Where one glob can reach: a folder it cannot leave, with a `/` at its end; the root is ''. */
interface Place {
  readonly folder: string;
  /** It matches everything in the folder. */
  readonly whole: boolean;
}

interface Reach {
  readonly reads: readonly Place[];
  readonly writes: readonly Place[];
  /** Something is excluded, so what the places say is not certain. */
  readonly hasHoles: boolean;
}

/**
 * Which tasks of a plan may not hold their leases at the same time. What it remembers between calls
 * makes it faster and never changes an answer.
 */
export class Conflicts {
  /** How often two accesses had to be compared glob by glob: the cost that must not grow with n². */
  comparisons = 0;
  private readonly reaches: (Reach | undefined)[] = [];
  private readonly known = new Map<number, boolean>();
  private readonly waits: boolean;
  private readonly places: TaskPlaces;

  constructor(private readonly plan: Plan) {
    this.waits = plan.settings.conflictPolicy === 'wait';
    this.places = new TaskPlaces(plan.tasks.length);
  }

  /** `true` when one of the two has to wait for the other. Symmetric. */
  exclude(a: Task, b: Task, extra: ExtraWrites): boolean {
    if (a.resources.length > 0 && b.resources.length > 0 && shareExclusively(a, b)) return true;
    if (!this.waits) return false;
    if (extra.size > 0 && (extra.has(a.index) || extra.has(b.index))) {
      this.comparisons += 1;
      return accessConflict(widened(a, extra), widened(b, extra));
    }
    if (this.places.areApart(a.index, b.index)) return false;
    const left = this.reachOf(a);
    const right = this.reachOf(b);
    const meeting = Math.max(
      meet(left.writes, right.writes),
      meet(left.writes, right.reads),
      meet(left.reads, right.writes),
    );
    if (meeting === APART) return false;
    return meeting === CERTAIN && !left.hasHoles && !right.hasHoles ? true : this.compare(a, b);
  }

  /** The places with those of more tasks (plan indexes, `from` to before `to`), for `isApartFrom`. */
  placesOf(tasks: ArrayLike<number>, from: number, to: number, before: Places = NOWHERE): Places {
    let places = before;
    for (let at = from; at < to; at += 1) {
      const task = this.plan.tasks[tasks[at] ?? -1];
      if (task === undefined) continue;
      this.reachOf(task);
      places = this.places.with(task.index, places);
    }
    return places;
  }

  /**
   * Quickly `true` for most tasks that are excluded by none of those at these places, as the plan has
   * it; `false` says nothing.
   */
  isApartFrom(task: Task, places: Places): boolean {
    return task.resources.length === 0 && this.places.isApartFrom(task.index, places);
  }

  private compare(a: Task, b: Task): boolean {
    const key = Math.min(a.index, b.index) * this.plan.tasks.length + Math.max(a.index, b.index);
    const before = this.known.get(key);
    if (before !== undefined) return before;
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.comparisons += 1;
    const answer = accessConflict(a.access, b.access);
    this.known.set(key, answer);
    return answer;
  }

  private reachOf(task: Task): Reach {
    const known = this.reaches[task.index];
    if (known !== undefined) return known;
    const { reads, writes } = task.access;
    const hasHoles = [...reads, ...writes].some((glob) => glob.startsWith('!'));
    const reach = { reads: placesOf(reads), writes: placesOf(writes), hasHoles };
    this.reaches[task.index] = reach;
    const foldersOf = (places: readonly Place[]) => places.map(({ folder }) => folder);
    this.places.set(task.index, foldersOf(reach.writes), foldersOf(reach.reads));
    return reach;
  }
}

/** What the task may read and write, with what it was granted while it worked. */
export function widened(task: Task, extra: ExtraWrites): Access {
  const more = extra.get(task.index);
  if (more === undefined) return task.access;
  return { ...task.access, writes: [...task.access.writes, ...more] };
}

function shareExclusively(a: Task, b: Task): boolean {
  return a.resources.some((one) =>
    b.resources.some((other) => other.id === one.id && (other.exclusive || one.exclusive)),
  );
}

const APART = 0;
const POSSIBLE = 1;
const CERTAIN = 2;

/**
 * Two globs can only meet where the folder of one contains the folder of the other; they do meet when
 * the outer one matches all that is in its folder.
 */
function meet(left: readonly Place[], right: readonly Place[]): number {
  let best = APART;
  for (const one of left) {
    for (const other of right) {
      const inLeft = other.folder.startsWith(one.folder);
      const inRight = one.folder.startsWith(other.folder);
      if ((inLeft && one.whole) || (inRight && other.whole)) return CERTAIN;
      if (inLeft || inRight) best = POSSIBLE;
    }
  }
  return best;
}

/** A path, or everything in a folder: what nearly every glob is, and nothing has to be parsed for. */
const PLAIN = /^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*(?:\/\*\*)?$/;

/** One place per reading of each glob; syntax outside the dialect may reach anywhere. */
function placesOf(globs: readonly string[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const glob of splitExclusions(globs).included) {
    if (PLAIN.test(glob)) {
      const folder = `${glob.endsWith('/**') ? glob.slice(0, -3) : glob}/`;
      places.set(folder, { folder, whole: true });
      continue;
    }
    const patterns = parseGlob(glob) ?? [{ prefix: [], segments: [] }];
    for (const { prefix, segments } of patterns) {
      const folder = prefix.map((name) => `${name}/`).join('');
      const whole = segments.length === prefix.length + 1 && segments.at(-1) === '**';
      if (whole || !places.has(folder)) places.set(folder, { folder, whole });
    }
  }
  return [...places.values()];
}

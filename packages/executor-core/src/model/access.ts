/**
 * What a task may read and write: globs over repository paths, `/`-separated, without a leading `./`.
 * Dialect: `*`, `**`, `?`, `{a,b}`, `[a-z]`, `[^a]`, a leading `!` to exclude; dotfiles match like any
 * other file. A literal path that names a folder stands for everything below it.
 */
export interface Access {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/** Access of a task that declares no `writes`: it excludes every other task. */
export const EVERYTHING = '**';

/**
 * A named thing tasks compete for. `exclusive`: one holder at a time. A counted resource has a
 * `capacity` (the same for every task that names it), of which each holder takes `amount` (default 1).
 */
export interface Resource {
  readonly id: string;
  readonly exclusive: boolean;
  readonly amount?: number;
  /** `null` or absent: not counted. */
  readonly capacity?: number | null;
}

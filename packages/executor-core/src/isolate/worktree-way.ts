import type { Settings, Task } from '../model/task';
import { coneOf, isConeName, outermost } from './sparse-cone';

/** How a worktree comes to its files; see `WorktreeChoice`. `cone`: folders, sorted, none below another. */
export type WorktreeWay =
  | { readonly kind: 'full' }
  | { readonly kind: 'sparse'; readonly cone: readonly string[] }
  | { readonly kind: 'overlay' };

export interface WayFacts {
  /** Files of the repository. */
  readonly files: number;
  /** An overlay can be mounted here. */
  readonly canOverlay: boolean;
  /** The disk takes a full one for every agent. */
  readonly fullFits: boolean;
}

/** With fewer files git writes a whole worktree in less than half a second. */
export const LARGE_REPOSITORY = 5000;

/**
 * The way for the worktrees of a task. A task whose cone cannot be told gets another one than `sparse`.
 * Under `auto` a small repository is written in full. In a large one, or on a disk that is too small for
 * that, an overlay is taken where it can be had, and a sparse worktree only where nothing that runs in it
 * can miss a file: see `mayBeSparse`.
 */
export function chooseWay(
  task: Pick<Task, 'access' | 'writesDeclared' | 'verify'>,
  settings: Pick<Settings, 'worktrees' | 'setup'>,
  { files, canOverlay, fullFits }: WayFacts,
): WorktreeWay {
  const choice = settings.worktrees ?? 'auto';
  if (choice === 'full') return { kind: 'full' };
  const whole: WorktreeWay = { kind: canOverlay ? 'overlay' : 'full' };
  if (choice === 'overlay') return whole;
  const cone = taskCone(task, settings);
  const sparse: WorktreeWay | null = cone === null ? null : { kind: 'sparse', cone };
  if (choice === 'sparse') return sparse ?? whole;
  if (files <= LARGE_REPOSITORY && fullFits) return { kind: 'full' };
  if (canOverlay || sparse === null || !mayBeSparse(task, settings)) return whole;
  return sparse;
}

/** Both sets are declared, so what the agent needs is known; `setup.sparse` adds to them. */
function taskCone(
  { access, writesDeclared }: Pick<Task, 'access' | 'writesDeclared'>,
  { setup }: Pick<Settings, 'setup'>,
): readonly string[] | null {
  if (!writesDeclared || access.reads.length === 0) return null;
  const own = coneOf(access);
  if (own === null) return null;
  const cone = outermost([...own, ...(setup.sparse ?? [])]);
  return cone.every(isConeName) ? cone : null;
}

/** Commands may need any file, unless the plan says which. */
function mayBeSparse(
  { verify }: Pick<Task, 'verify'>,
  { setup }: Pick<Settings, 'setup'>,
): boolean {
  return setup.sparse !== undefined || (verify.length === 0 && setup.run.length === 0);
}

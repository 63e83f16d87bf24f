import type { TaskId } from '../model/ids';
import type { Git } from '../ports/git';
import type { MergeSides } from './merge-tree';
import { mergePairs, NOBODY } from './merge-tree';
import { changedPaths } from './trees';

/** What an agent at work has in its worktree. */
export interface LiveWork {
  readonly task: TaskId;
  /** Commit it started from. */
  readonly base: string;
  readonly tree: string;
}

/** Work that will not merge: of two tasks, or of one with what has landed since it started. */
export interface ComingConflict {
  readonly tasks: readonly TaskId[];
  /** Sorted, at least one. */
  readonly paths: readonly string[];
}

interface Side extends LiveWork {
  readonly commit: string;
  readonly paths: ReadonlySet<string>;
}

/** Merges by one git: it tells nothing before it has made all of them. */
const AT_ONCE = 50;

/**
 * The conflicts that would come if all of `works` landed as they are, on `tip`: speculative merging (Brun,
 * Holmes, Ernst, Notkin: Proactive detection of collaboration conflicts, 2011). Merged are only pairs that
 * changed a common path, and each work with what landed on such a path. It foretells what git cannot
 * merge; two changes that break each other without touching are for the checks to find. Writes objects,
 * so give it the git of a quarantine.
 */
export async function comingConflicts(
  git: Git,
  root: string,
  works: readonly LiveWork[],
  tip: string,
): Promise<readonly ComingConflict[]> {
  const sides: Side[] = [];
  for (const work of works) {
    const side = await sideOf(git, root, work);
    if (side.paths.size > 0) sides.push(side);
  }
  const questions = meetingPairs(sides).map(([one, other]) => pairQuestion(one, other));
  for (const side of sides)
    if (await meetsLanded(git, root, side, tip)) questions.push(landedQuestion(side, tip));
  const found: ComingConflict[] = [];
  for (let at = 0; at < questions.length; at += AT_ONCE) {
    const asked = questions.slice(at, at + AT_ONCE);
    const merged = await mergePairs(git, root, asked);
    merged.forEach((result, index) => {
      const conflict = result?.kind === 'conflict' ? asked[index]?.conflictOf(result.paths) : null;
      if (conflict != null && conflict.paths.length > 0) found.push(conflict);
    });
  }
  return found;
}

/** Two commits to merge, and what it means that these paths are then in conflict. */
interface Question extends MergeSides {
  readonly conflictOf: (paths: readonly string[]) => ComingConflict;
}

async function sideOf(git: Git, root: string, work: LiveWork): Promise<Side> {
  const objects = git.objects(root);
  const { tree } = await objects.readCommit(work.base);
  const changes = await changedPaths(objects, tree, work.tree);
  const paths = new Set(changes.map(({ path }) => path));
  if (paths.size === 0) return { ...work, commit: work.base, paths };
  const who = `${NOBODY.GIT_AUTHOR_NAME} <${NOBODY.GIT_AUTHOR_EMAIL}> 0 +0000`;
  const text = `tree ${work.tree}\nparent ${work.base}\nauthor ${who}\ncommitter ${who}\n\nlive work\n`;
  return { ...work, commit: await objects.writeCommit(text), paths };
}

/** Pairs in which both changed a path, or one made a file of what is a folder to the other. */
function meetingPairs(sides: readonly Side[]): readonly (readonly [Side, Side])[] {
  const changers = new Map<string, number[]>();
  sides.forEach(({ paths }, at) => {
    for (const path of paths) {
      const others = changers.get(path);
      if (others === undefined) changers.set(path, [at]);
      else others.push(at);
    }
  });
  const pairs = new Set<number>();
  for (const [path, here] of changers) {
    const above = foldersOf(path).flatMap((folder) => changers.get(folder) ?? []);
    for (const one of here) {
      for (const other of [...here, ...above]) {
        if (one !== other) pairs.add(Math.min(one, other) * sides.length + Math.max(one, other));
      }
    }
  }
  return [...pairs]
    .sort((one, other) => one - other)
    .flatMap((key) => {
      const [one, other] = [sides[Math.floor(key / sides.length)], sides[key % sides.length]];
      return one === undefined || other === undefined ? [] : [[one, other] as const];
    });
}

function foldersOf(path: string): readonly string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    folders.push(path.slice(0, at));
  }
  return folders;
}

function pairQuestion(one: Side, other: Side): Question {
  return {
    left: one.commit,
    right: other.commit,
    conflictOf: (paths) => {
      const both = paths.filter((path) => one.paths.has(path) && other.paths.has(path));
      // Of two bases, the rest is between one of them and what landed in between.
      const told = both.length > 0 || one.base !== other.base ? both : paths;
      return { tasks: [one.task, other.task], paths: told };
    },
  };
}

function landedQuestion({ task, commit }: Side, tip: string): Question {
  return { left: commit, right: tip, conflictOf: (paths) => ({ tasks: [task], paths }) };
}

/** Whether something landed since it started on a path it changed. */
async function meetsLanded(git: Git, root: string, side: Side, tip: string): Promise<boolean> {
  if (tip === side.base) return false;
  const objects = git.objects(root);
  const [before, now] = [await objects.readCommit(side.base), await objects.readCommit(tip)];
  const landed = (await changedPaths(objects, before.tree, now.tree)).map(({ path }) => path);
  const around = new Set([...side.paths].flatMap((path) => [path, ...foldersOf(path)]));
  return landed.some((path) =>
    [path, ...foldersOf(path)].some((name) => around.has(name) && isChanged(name, side, path)),
  );
}

/** `name` is a changed path to one of the two, not only a folder that both have changes in. */
function isChanged(name: string, side: Side, landed: string): boolean {
  return name === landed || side.paths.has(name);
}

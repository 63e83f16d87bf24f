import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ProcessMark } from '../model/process';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import { commonDir } from './linked-worktree';

/** A move of a checkout from one commit to the next that was begun, as the note beside the repository tells it. */
export interface BegunMove {
  /** The run that moves it. */
  readonly run: string;
  /** Absolute path of the checkout. */
  readonly worktree: string;
  /** Its private git folder. */
  readonly gitDir: string;
  /** Full name of the branch that moves. */
  readonly target: string;
  readonly from: string;
  readonly to: string;
}

/** The right to change the index of a checkout, by git's own rules. */
export interface CheckoutHold {
  /** The index to work on: `GIT_INDEX_FILE` for the git that moves the checkout. */
  readonly index: string;
  /** Gives the checkout back; with the index that was worked on, when the move was made. */
  end(moved: boolean): Promise<void>;
}

type Where = { readonly git: Git; readonly fs: FileSystem; readonly root: string };

/** What the git that moves a checkout carries, so that it is found when it outlives the process that started it. */
export function moverMark({ run }: Pick<BegunMove, 'run'>): ProcessMark {
  // No task id begins with an underscore.
  return { run, task: '_publish' };
}

/** Beside our other things in the folder that all checkouts share. */
const NOTE = 'parallel/move.json';

/**
 * Holds `index.lock` of a checkout while it is moved. The lock is a second name of a note that tells who
 * holds it and why: so after a kill it is proven to be ours, and `begunMove` finds it. `null` when another
 * git has the lock. Where the disk knows no second names, git takes the lock by itself (`index` is the
 * checkout's own). Call it under the worktree mutex.
 */
export async function holdCheckout(where: Where, move: BegunMove): Promise<CheckoutHold | null> {
  const { fs } = where;
  const lock = lockOf(move);
  const note = await noteOf(where);
  // Unlike every other note: a lock that was made of an earlier one is not this one's.
  await fs.writeAtomic(note, `${JSON.stringify({ ...move, id: randomUUID() }, null, 2)}\n`);
  if (!(await fs.link(note, lock))) {
    const taken = await fs.exists(lock);
    await fs.removeFile(note);
    return taken ? null : { index: join(move.gitDir, 'index'), end: () => Promise.resolve() };
  }
  return openHold(fs, move, note);
}

/**
 * The move that a process which is gone had begun and not ended, with the right to end it; `null` when
 * there is none. Call it under the worktree mutex: then nobody of ours is moving anything.
 */
export async function begunMove(
  where: Where,
): Promise<{ readonly move: BegunMove; readonly hold: CheckoutHold } | null> {
  const { fs } = where;
  const note = await noteOf(where);
  const text = await fs.readText(note);
  const move = text === null ? null : parseMove(text);
  if (move === null || (await fs.readText(lockOf(move))) !== text) {
    // It had not begun, or it had ended.
    await fs.removeFile(note);
    return null;
  }
  return { move, hold: await openHold(fs, move, note) };
}

/** Works on a second index: git replaces that file and never writes into it, so the checkout's own stays as it is. */
async function openHold(fs: FileSystem, move: BegunMove, note: string): Promise<CheckoutHold> {
  const own = join(move.gitDir, 'index');
  const index = join(move.gitDir, 'parallel-index');
  const removeIndex = async (): Promise<void> => {
    await fs.removeFile(index);
    await fs.removeFile(`${index}.lock`);
  };
  await removeIndex();
  await fs.link(own, index);
  return {
    index,
    async end(moved) {
      if (moved) await fs.rename(index, own);
      await removeIndex();
      await fs.removeFile(lockOf(move));
      await fs.removeFile(note);
    },
  };
}

function lockOf({ gitDir }: BegunMove): string {
  return join(gitDir, 'index.lock');
}

async function noteOf({ git, fs, root }: Where): Promise<string> {
  const common = await commonDir(git, root);
  await fs.makeDir(join(common, 'parallel'));
  return join(common, NOTE);
}

function parseMove(text: string): BegunMove | null {
  try {
    const value = JSON.parse(text) as Partial<BegunMove> | null;
    const { run, worktree, gitDir, target, from, to } = value ?? {};
    const parts = [run, worktree, gitDir, target, from, to];
    return parts.every((part) => typeof part === 'string') ? (value as BegunMove) : null;
  } catch {
    return null;
  }
}

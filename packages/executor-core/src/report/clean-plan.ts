import type { RunOutcome } from '../model/event';
import type { RunId } from '../model/ids';

/**
 * How a run stands for whoever clears up. `unstarted`: its process died before it began; `gone`: its
 * folder is not there any more; `unreadable`: its folder cannot be understood; `elsewhere`: it belongs to
 * another checkout of the repository; `interrupted`: its process is gone and it can go on.
 */
export type RunStanding =
  'running' | 'interrupted' | 'elsewhere' | 'unstarted' | 'gone' | 'unreadable' | RunOutcome;

/** A task that failed for good or waits for a person, and where its work is. */
export interface QuarantinedTask {
  readonly task: string;
  readonly state: 'failed' | 'conflicted';
  /** What went wrong, for people. */
  readonly reason: string;
  /** Refs that keep what its attempts wrote, the latest first; those that exist. */
  readonly refs: readonly string[];
}

/** What is known of a run beside the things it left. */
export interface LeftRun {
  readonly id: RunId;
  readonly standing: RunStanding;
  /** Path of the other checkout it belongs to. */
  readonly checkout: string | null;
  /** The run that `status` and `logs` show when none is named. */
  readonly current: boolean;
  /** Tasks whose work landed. */
  readonly landedTasks: readonly string[];
  readonly quarantined: readonly QuarantinedTask[];
}

/** One thing that runs left behind. Paths are absolute, ids of commits whole. */
export type Leftover =
  | {
      readonly kind: 'worktree';
      /** `null`: nothing tells whose it was. */
      readonly run: RunId | null;
      readonly path: string;
      readonly task: string | null;
      /** Moved aside, because it could not be saved in full. */
      readonly aside: boolean;
      /** Why it could not be saved, where that is known. */
      readonly reason: string | null;
      /** Git knows it as a worktree. */
      readonly known: boolean;
      /** A person settles the conflict of the task there. */
      readonly resolving?: boolean;
    }
  | {
      readonly kind: 'branch';
      readonly run: RunId;
      /** Short name. */
      readonly branch: string;
      readonly commit: string;
      /** `unsaved`: its tip is nowhere else; `checked-out`: somebody works on it. */
      readonly hold: 'unsaved' | 'checked-out' | null;
    }
  | {
      readonly kind: 'ref';
      readonly run: RunId;
      /** Full name, below `refs/parallel/`. */
      readonly ref: string;
      readonly commit: string;
      readonly task: string | null;
      readonly role: 'candidate' | 'salvage' | 'integration';
      /** Proven to be part of a branch of the user. */
      readonly landed: boolean;
    }
  | {
      readonly kind: 'folder';
      readonly run: RunId;
      readonly path: string;
      readonly bytes: number;
      /** When something was last written there, epoch ms; `null` when nothing tells. */
      readonly changedAt: number | null;
    }
  | { readonly kind: 'trash'; readonly run: null; readonly path: string };

export interface Leftovers {
  /** Newest first; also runs that left nothing but their folder. */
  readonly runs: readonly LeftRun[];
  readonly items: readonly Leftover[];
}

/** What a person wants cleared. */
export interface CleanChoice {
  /** This run alone, with all it left, whether it landed or not. */
  readonly run?: RunId | undefined;
  /** Also what has not landed, of every run that has ended. */
  readonly unlanded?: boolean | undefined;
}

/**
 * What becomes of a thing. `proven`: it is of no use to anybody; `if-saved`: it goes when its work can be
 * saved after all; `asked`: it holds work that did not land, and a person said that it goes; `stays`.
 */
export interface CleanVerdict {
  readonly item: Leftover;
  readonly fate: 'proven' | 'if-saved' | 'asked' | 'stays';
  /** Why, in words that follow the name of the thing. */
  readonly why: string;
}

/** A name nothing else has, also between two looks; what has changed meanwhile has another. */
export function leftoverKey(item: Leftover): string {
  switch (item.kind) {
    case 'ref':
      return `${item.ref} ${item.commit}`;
    case 'branch':
      return `refs/heads/${item.branch} ${item.commit}`;
    case 'worktree':
    case 'folder':
    case 'trash':
      return item.path;
  }
}

/**
 * Decides what of the leftovers goes. Pure. Nothing of a run that is driven by a living process or by
 * another checkout ever goes, nor of one that `resume` can continue, unless that is named; and nothing that
 * did not land goes unless the choice covers it. `shown`: keys of what a person has seen; other work that
 * did not land stays, whatever the choice.
 */
export function planClean(
  { runs, items }: Leftovers,
  choice: CleanChoice = {},
  shown?: ReadonlySet<string>,
): readonly CleanVerdict[] {
  const { run: only } = choice;
  const known = new Map(runs.map((run) => [run.id, run]));
  const wanted = items.filter((item) => only === undefined || item.run === only);
  const verdicts = wanted.map((item): CleanVerdict => {
    const run = item.run === null ? null : (known.get(item.run) ?? null);
    const [fate, why] = item.kind === 'folder' ? LATER : fateOf(item, run, choice);
    const unseen = fate === 'asked' && shown?.has(leftoverKey(item)) === false;
    return unseen ? { item, fate: 'stays', why: 'saved just now' } : { item, fate, why };
  });
  return verdicts.map((verdict): CleanVerdict => {
    const { item } = verdict;
    if (item.kind !== 'folder') return verdict;
    const [fate, why] = fateOfFolder(known.get(item.run) ?? null, verdicts, choice);
    return { item, fate, why };
  });
}

type Fate = readonly [CleanVerdict['fate'], string];
const LATER: Fate = ['stays', ''];

/** Why nothing of a run may be touched; `null` when it may. */
function guardOf({ id, standing, checkout }: LeftRun, choice: CleanChoice): string | null {
  switch (standing) {
    case 'running':
      return 'the run goes on';
    case 'elsewhere':
      return `the run belongs to ${checkout ?? 'another checkout'}; clean there`;
    case 'interrupted':
      return choice.run === id
        ? null
        : `parallel-cli resume ${id} goes on from it; to give it up, name it with --run`;
    case 'unreadable':
      return choice.run === id
        ? null
        : 'its run cannot be read; to give it up, name the run with --run';
    case 'unstarted':
    case 'gone':
    case 'completed':
    case 'failed':
    case 'stopped':
      return null;
  }
}

function isAsked(run: LeftRun | null, choice: CleanChoice): boolean {
  return choice.unlanded === true || (run !== null && choice.run === run.id);
}

function fateOf(
  item: Exclude<Leftover, { readonly kind: 'folder' }>,
  run: LeftRun | null,
  choice: CleanChoice,
): Fate {
  const guard = run === null ? null : guardOf(run, choice);
  if (guard !== null) return ['stays', guard];
  switch (item.kind) {
    case 'trash':
      return ['proven', 'removed before, not deleted yet'];
    case 'worktree':
      return fateOfWorktree(item, isAsked(run, choice));
    case 'branch':
      if (item.hold === 'checked-out') return ['stays', 'somebody has it checked out'];
      if (item.hold === 'unsaved')
        return [
          'stays',
          `has commits that are nowhere else; git branch -D ${item.branch} drops them`,
        ];
      return ['proven', 'its commits are kept elsewhere'];
    case 'ref':
      return fateOfRef(item, run, isAsked(run, choice));
  }
}

function fateOfWorktree(
  { aside, reason, known, resolving, task }: Extract<Leftover, { readonly kind: 'worktree' }>,
  asked: boolean,
): Fate {
  if (resolving === true && !asked) {
    const how = `parallel-cli resolve ${task ?? 'TASK'} --abort`;
    return ['stays', `a conflict is being resolved there; ${how} takes it away`];
  }
  if (!aside) return ['proven', 'what is only there is saved under a ref first'];
  const why = `could not be saved${reason === null ? '' : `: ${reason}`}`;
  if (!known) return ['stays', `${why}; git knows nothing of it, look at it and remove it by hand`];
  return asked ? ['asked', why] : ['if-saved', `${why}; that is tried once more`];
}

function fateOfRef(
  { role, landed, task }: Extract<Leftover, { readonly kind: 'ref' }>,
  run: LeftRun | null,
  asked: boolean,
): Fate {
  const over = run === null || run.standing === 'completed' || run.standing === 'gone';
  if (landed && (role !== 'integration' || over)) return ['proven', 'landed'];
  const why = landed
    ? 'a retry goes on from it'
    : role === 'integration'
      ? 'what landed in the run is on no branch of yours'
      : task !== null && run?.landedTasks.includes(task) === true
        ? 'not landed; another attempt of the task has'
        : 'not landed';
  return [asked ? 'asked' : 'stays', why];
}

/** A folder goes last: as long as something of the run is there, it tells what that is. */
function fateOfFolder(
  run: LeftRun | null,
  verdicts: readonly CleanVerdict[],
  choice: CleanChoice,
): Fate {
  if (run === null) return ['stays', 'nothing is known of it'];
  const guard = guardOf(run, choice);
  if (guard !== null) return ['stays', guard];
  const left = verdicts.filter(
    ({ item, fate }) =>
      item.run === run.id && item.kind !== 'folder' && (fate === 'stays' || fate === 'if-saved'),
  );
  if (left.length > 0) return ['stays', 'it tells about what is left of the run'];
  if (run.standing === 'unstarted') return ['proven', 'the run never began'];
  if (run.current && choice.run !== run.id) {
    return ['stays', 'the last run: status and logs show it'];
  }
  if (run.standing === 'completed') return ['proven', 'everything landed'];
  if (isAsked(run, choice)) return ['asked', 'its logs and its record'];
  return ['stays', run.standing === 'stopped' ? 'can be resumed' : 'can be retried'];
}

import { CURES, describeFailure, failureClass, failureLog } from '../model/failure';
import type { Failure } from '../model/failure';
import type { AttemptStory } from '../report/attempt-story';
import { storyLine } from '../report/attempt-story';

/** What the files of a worktree are when its agent starts. */
export type StartingPoint =
  /** Those of the base, which holds all that has landed. */
  | { readonly kind: 'fresh' }
  /** The work of an earlier attempt as its healer left it, on the base. */
  | { readonly kind: 'healed'; readonly attempt: number; readonly ref: string }
  /** The work of an interrupted attempt, kept as `commit`, on the base. */
  | {
      readonly kind: 'resumed';
      readonly attempt: number;
      readonly ref: string;
      readonly commit: string;
    }
  /** Those of the base: the work of an earlier attempt does not go together with what has landed since. */
  | {
      readonly kind: 'outdated';
      /** `true` when its healer had mended it, `false` when the attempt had been interrupted. */
      readonly mended: boolean;
      readonly attempt: number;
      readonly ref: string;
      readonly paths: readonly string[];
    }
  /** The work of an earlier attempt, which was red on the merged tree, on the base. */
  | { readonly kind: 'unmended'; readonly attempt: number; readonly ref: string }
  /** The work of an earlier attempt, which conflicts with what has landed: the resolver gets it first. */
  | { readonly kind: 'conflicted'; readonly attempt: number; readonly ref: string }
  /** For a healer: those the failed attempt left. */
  | { readonly kind: 'failed' };

export interface FeedbackInput {
  /** Failed attempts, oldest first; the last one is what the text is about. */
  readonly stories: readonly [...(readonly AttemptStory[]), AttemptStory];
  /** Attempt that is told, 1-based. */
  readonly attempt: number;
  readonly maxRetries: number;
  readonly start: StartingPoint;
  /** Repository paths the last attempt changed. */
  readonly changed: readonly string[];
}

/** More paths than this are counted, not named. */
const MOST_PATHS = 30;

/** What the next attempt, or a healer, is told about the last one. Plain text, sections apart by a blank line. */
export function feedbackText(input: FeedbackInput): string {
  const { stories } = input;
  const earlier = stories.slice(0, -1);
  const last = stories[stories.length - 1] as AttemptStory;
  const log = failureLog(last.failure).trimEnd();
  const sections = [
    headLines(last, input),
    factLines(last.failure),
    adviceLines(last.failure),
    startLines(input.start),
    workLines(last, input.changed),
    healerLines(last),
    titled('Earlier attempts:', earlier.map(storyLine).map(indent)),
    log === '' ? [] : ['End of its output:', '', log],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

function headLines({ attempt, failure }: AttemptStory, input: FeedbackInput): readonly string[] {
  const head = [
    `Attempt ${attempt} failed: ${describeFailure(failure)}.`,
    `Class: ${failureClass(failure)}.`,
  ];
  if (input.start.kind === 'failed') return head;
  const counted = input.stories.filter(
    (story) => CURES[failureClass(story.failure)].retry === 'retryable',
  );
  // A person may have given the task new retries: then the old count says nothing.
  const known = counted.length <= input.maxRetries;
  const which = known ? `, retry ${counted.length} of ${input.maxRetries}` : '';
  return [...head, `This is attempt ${input.attempt}${which}.`];
}

function factLines(failure: Failure): readonly string[] {
  switch (failure.kind) {
    case 'verify-failed': {
      const code = failure.code === null ? 'none (it was ended by a signal)' : failure.code;
      return [`Command: ${failure.command}`, `Exit code: ${code}`];
    }
    case 'lock-violation':
      return [
        ...titled('Files outside the write set:', listed(failure.paths)),
        ...titled('Allowed:', listed(failure.allowed)),
      ];
    case 'conflict':
      return titled('In conflict with what has landed:', listed(failure.paths));
    case 'setup-failed':
      return [`Step: ${failure.step}`];
    case 'agent-exit':
    case 'agent-signal':
    case 'agent-error':
    case 'try-later':
    case 'timeout':
    case 'no-evidence':
    case 'lease-timeout':
    case 'lost-lease':
    case 'deadline':
    case 'interrupted':
    case 'cancelled':
      return [];
  }
}

function adviceLines(failure: Failure): readonly string[] {
  const { advice } = CURES[failureClass(failure)];
  return advice === null ? [] : [advice];
}

function startLines(start: StartingPoint): readonly string[] {
  switch (start.kind) {
    case 'fresh':
      return ['You start from all that has landed; nothing of that attempt is in your worktree.'];
    case 'healed':
      return [
        `You start from the work of attempt ${start.attempt}, mended by the healer: fix it, do not redo it.`,
      ];
    case 'resumed':
      return [
        `You start from the work of attempt ${start.attempt} (${start.commit}), which was interrupted: go on from there.`,
      ];
    case 'outdated':
      return [
        `You start from all that has landed: the ${start.mended ? 'mended ' : ''}work of attempt ${start.attempt}, kept in ${start.ref}, ${start.paths.length === 0 ? 'does not go together with it.' : 'conflicts with it in'}`,
        ...listed(start.paths),
      ];
    case 'unmended':
      return [
        `The worktree holds the work of attempt ${start.attempt} on all that has landed: fix it, do not redo it.`,
      ];
    case 'conflicted':
      return [
        `The worktree holds the work of attempt ${start.attempt} merged into all that has landed, as git merge leaves it.`,
      ];
    case 'failed':
      return ['You are in the worktree as that attempt left it.'];
  }
}

function workLines({ base, salvage }: AttemptStory, changed: readonly string[]): readonly string[] {
  if (base === null || salvage === null) return [];
  return [
    ...titled('What it changed:', listed(changed)),
    `Look at it:    git diff ${base} ${salvage}`,
    `See one file:  git show ${salvage}:PATH`,
    `Take one over: git restore --source=${salvage} -- PATH`,
  ];
}

function healerLines({ healing }: AttemptStory): readonly string[] {
  if (healing === null || healing.outcome === null) return [];
  const { healer, role, outcome, note } = healing;
  return [
    `The ${role ?? 'healer'} ${healer} looked at it (${outcome}):`,
    ...note.split('\n').map(indent),
  ];
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function listed(paths: readonly string[]): readonly string[] {
  const shown = paths.slice(0, MOST_PATHS).map(indent);
  const left = paths.length - shown.length;
  return left > 0 ? [...shown, indent(`and ${left} more`)] : shown;
}

function indent(line: string): string {
  return `  ${line}`;
}

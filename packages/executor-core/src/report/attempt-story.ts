import type { Cost } from '../model/cost';
import type { EventOf } from '../model/event';
import type { Failure } from '../model/failure';
import type { ResolvedPath } from '../model/resolved-path';
import { describeFailure, failureClass } from '../model/failure';

/** What a healer made of a failed attempt, or the resolver of the conflict it began with. `outcome` is `null` while it is at work. */
export interface HealerStory {
  /** Agent profile. */
  readonly healer: string;
  /** Absent: it is a healer, which mends. */
  readonly role?: 'resolver';
  readonly outcome: EventOf<'task:healed'>['outcome'] | null;
  /** Its own words. */
  readonly note: string;
}

/** A failed attempt, as people and the next attempt are told. */
export interface AttemptStory {
  /** 1-based. */
  readonly attempt: number;
  readonly failure: Failure;
  /** Commit it started from; `null` when it failed before it had a worktree. */
  readonly base: string | null;
  /** Ref that keeps what it wrote, mended by the healer where there was one; `null`: nothing. */
  readonly salvage: string | null;
  /** `null` when no healer looked at it. */
  readonly healing: HealerStory | null;
  /** As its agents told. */
  readonly cost: Cost;
  /** How conflicts were settled while its candidate was made; absent where none was. */
  readonly resolved?: readonly ResolvedPath[];
}

/** Class and reason in one line: `verify-failed: check failed on the worktree: npm test`. */
export function failureText(failure: Failure): string {
  return `${failureClass(failure)}: ${describeFailure(failure)}`;
}

/** What became of a failed attempt, one line for people: class, reason, healer, where its work is. */
export function storyLine({ attempt, failure, healing, salvage }: AttemptStory): string {
  const parts = [
    `attempt ${attempt}: ${failureText(failure)}`,
    healing === null ? '' : healerText(healing),
    salvage === null ? 'it left no work' : `work kept in ${salvage}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** `healer fixer: fixed ("the import was missing")`. */
function healerText({ healer, role, outcome, note }: HealerStory): string {
  const words = note.trim().split('\n').at(-1) ?? '';
  return `${role ?? 'healer'} ${healer}: ${outcome ?? 'cut off'}${words === '' ? '' : ` ("${words}")`}`;
}

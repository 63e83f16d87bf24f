import { joinParts } from './merge-parts';
import type { Settled, TextConflict } from './path-conflict';

/** Which side wins what cannot be had both ways, and why, for people. */
export interface Winner {
  readonly side: 'ours' | 'theirs';
  readonly reason: string;
}

/**
 * The policy rung, as `git merge-file --ours` or `--theirs` does it: only the hunks in conflict are
 * decided, what merges cleanly stays from both sides.
 */
export function policyRung({ parts, ours, theirs }: TextConflict, winner: Winner): Settled | null {
  if (parts === null) return null;
  const { side, reason } = winner;
  const ending = side === 'ours' ? ours : theirs;
  return {
    content: joinParts(parts, (hunk) => hunk[side], ending),
    reason,
    loser: side === 'ours' ? 'theirs' : 'ours',
  };
}

import type { Git } from '../ports/git';
import { BranchLine } from './branch-line';
import { Drain } from './drain';
import type { DrainContext, DrainResult } from './drain-context';
import { buildStack } from './stack';
import { CANDIDATE_TRAILER, parseTrailers } from './trailers';

/** Somebody else moved the ref this often in a row while we held the mutex: give up for now. */
const MAX_STALE = 5;

/**
 * Lands a queue of candidates on the integration branch. The caller holds the merge mutex, and with it
 * works for every process that put something into the queue (flat combining).
 *
 * Candidates that can turn each other red form a lane. In each lane they are merged in memory into a
 * stack of commits, one per task on one line; stacks are verified by prefix bisection, several trees
 * at once, and what is green lands by compare-and-swap. A lane lands without waiting for others: where
 * one has landed since, the commits are built again on its tip. A candidate that alone turned a green
 * tree red is verified once more, and rejected unless that was a flake; one in conflict with what has
 * landed is rejected at once; the others go on. Rejects with `TakenOver` when the fence was moved.
 *
 * Invariants: the ref only ever moves to a tree whose checks are green, either verified as it is, or
 * put together of lanes that were verified each and share no project; the tip it stands on counts as
 * green; a candidate lands at most once, also across crashes, because its id is in a trailer of the
 * commit that landed it. Throws when a message lacks that trailer.
 */
export async function drainQueue(git: Git, context: DrainContext): Promise<DrainResult> {
  for (const { message, candidate, task } of context.queue) {
    if (parseTrailers(message).get(CANDIDATE_TRAILER) !== candidate.commit) {
      throw new Error(`The message of ${task} does not name its candidate.`);
    }
  }
  const { root, ref, fence, conflictPolicy: policy, style, ladder } = context;
  const drain = new Drain(
    new BranchLine(git, root, ref, fence),
    (items, tip, onLayer) => buildStack({ git, root, tip, onLayer, items, policy, style, ladder }),
    context,
  );
  for (let tries = MAX_STALE; tries > 0 && context.signal?.aborted !== true; tries -= 1) {
    const landed = drain.landed.length;
    if ((await drain.round()) !== 'stale') break;
    if (drain.landed.length > landed) tries = MAX_STALE;
  }
  const { landed, rejected, left } = drain;
  return { tip: drain.known ?? context.knownTip ?? null, landed, rejected, left };
}

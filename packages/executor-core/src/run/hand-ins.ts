import type { Clock } from '../ports/clock';
import { waitWhile, type Watched } from './patience';
import { areHandingIn } from './state-queries';

/** A landing is not kept waiting for longer than a person notices. */
const PATIENCE_MS = 100;

/**
 * Resolves when no attempt is about to hand in its work, or after 100 ms. Who lands waits for it: agents
 * that end together then land as one batch, checked once.
 */
export function handInsOf(loop: Watched, clock: Pick<Clock, 'after'>): () => Promise<void> {
  return () => waitWhile(() => areHandingIn(loop.current), loop, clock, PATIENCE_MS);
}

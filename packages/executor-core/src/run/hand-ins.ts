import type { Clock } from '../ports/clock';
import type { RunLoop } from './run-loop';
import { areHandingIn } from './state-queries';

/** A landing is not kept waiting for longer than a person notices. */
const PATIENCE_MS = 100;

/**
 * Resolves when no attempt is about to hand in its work, or after 100 ms. Who lands waits for it: agents
 * that end together then land as one batch, checked once, and their slots are free again sooner.
 */
export function handInsOf(
  loop: Pick<RunLoop, 'current' | 'on'>,
  clock: Pick<Clock, 'after'>,
): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      if (!areHandingIn(loop.current)) {
        resolve();
        return;
      }
      const end = (): void => {
        cancel();
        stopListening();
        resolve();
      };
      const cancel = clock.after(PATIENCE_MS, end);
      const stopListening = loop.on(() => {
        if (!areHandingIn(loop.current)) end();
      });
    });
}

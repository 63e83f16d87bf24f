import type { Clock } from '../ports/clock';
import type { RunLoop } from './run-loop';

export type Watched = Pick<RunLoop, 'current' | 'on'>;

/** Resolves once `isBusy` is false after some event of the run, or after `patienceMs`. */
export function waitWhile(
  isBusy: () => boolean,
  loop: Pick<Watched, 'on'>,
  clock: Pick<Clock, 'after'>,
  patienceMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    if (!isBusy()) {
      resolve();
      return;
    }
    const end = (): void => {
      cancel();
      stopListening();
      resolve();
    };
    const cancel = clock.after(patienceMs, end);
    const stopListening = loop.on(() => {
      if (!isBusy()) end();
    });
  });
}

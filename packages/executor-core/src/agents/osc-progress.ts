import type { Clock } from '../ports/clock';

const REST_MS = 500;
/** A chatty agent's older output says nothing about how far it is now. */
const LAST_BYTES = 64 * 1024;
/** Longer than any report, so that one cut in two is seen whole. */
const OVERLAP = 16;
/** `ESC ] 9 ; 4 ; state ; percent`, ended by BEL or ST: ConEmu's progress report, understood by most terminals. */
// eslint-disable-next-line no-control-regex -- the report begins with ESC and ends with BEL
const REPORT = /\u001b\]9;4;([0-4])(?:;(\d{1,3}))?(?:\u0007|\u001b\\)/g;

/** Per cent of the last report in `text` (state 1, 2 or 4), at most 100; `null` when there is none. */
export function lastReport(text: string): number | null {
  const [, state, percent] = [...text.matchAll(REPORT)].at(-1) ?? [];
  if (state === undefined || percent === undefined || state === '0' || state === '3') return null;
  return Math.min(100, Number(percent));
}

/** Takes an agent's output as it comes. */
export interface ReportReader {
  take(chunk: Buffer): void;
  /** Nothing is told from then on. */
  stop(): void;
}

/**
 * Tells each new per cent that the output reports, also where a report is cut in two; the newest one at
 * most twice a second. Remembers some bytes, however long the output is.
 */
export function reportReader(clock: Clock, onPercent: (percent: number) => void): ReportReader {
  let cut = '';
  let told: number | null = null;
  let newest: number | null = null;
  let resting = false;
  let cancel = (): void => undefined;
  const tell = (): void => {
    if (resting || newest === null || newest === told) return;
    told = newest;
    resting = true;
    cancel = clock.after(REST_MS, () => {
      resting = false;
      tell();
    });
    onPercent(told);
  };
  return {
    take(chunk) {
      const text = cut + chunk.subarray(-LAST_BYTES).toString('latin1');
      cut = text.slice(-OVERLAP);
      newest = lastReport(text) ?? newest;
      tell();
    },
    stop() {
      cancel();
      resting = true;
    },
  };
}

import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';

const LOOK_EVERY_MS = 500;
/** A chatty agent's older output says nothing about how far it is now. */
const LAST_BYTES = 64 * 1024;
/** Longer than any report, so that one cut by the end of the last look is seen whole. */
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

/**
 * Looks into a growing output file for progress reports and tells each new value once. Returns a stop
 * function. A file that cannot be read tells nothing: progress is an extra.
 */
export function followReports(
  fs: FileSystem,
  clock: Clock,
  path: string,
  onPercent: (percent: number) => void,
): () => void {
  let offset = 0;
  let told: number | null = null;
  let stopped = false;
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    const size = (await fs.size(path)) ?? 0;
    if (size <= offset) return;
    const bytes = await fs.readFrom(path, Math.max(0, offset - OVERLAP, size - LAST_BYTES));
    offset = size;
    const percent = lastReport(bytes.toString('latin1'));
    if (stopped || percent === null || percent === told) return;
    told = percent;
    onPercent(percent);
  };
  const again = (): void => {
    cancel = clock.after(LOOK_EVERY_MS, () => {
      void look()
        .catch(() => undefined)
        .then(() => {
          if (!stopped) again();
        });
    });
  };
  again();
  return () => {
    stopped = true;
    cancel();
  };
}

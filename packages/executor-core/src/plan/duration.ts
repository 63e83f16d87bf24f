/** A duration as the plan writes it: `500ms`, `30s`, `60m`, `2h`. */
export const DURATION = /^\d+(ms|s|m|h)$/;

/** Timers overflow beyond 2³¹−1 ms, about 24 days. */
export const MAX_DURATION_MS = 2_147_483_647;

/** Milliseconds of a duration; `null` when `text` is none or is longer than 24 days. */
export function parseDuration(text: string): number | null {
  const unit = DURATION.exec(text)?.[1];
  if (unit === undefined) return null;
  const ms = Number.parseInt(text, 10) * unitMs(unit);
  return ms <= MAX_DURATION_MS ? ms : null;
}

function unitMs(unit: string): number {
  if (unit === 'ms') return 1;
  if (unit === 's') return 1000;
  return unit === 'm' ? 60_000 : 3_600_000;
}

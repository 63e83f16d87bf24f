/**
 * What the end of a program's output tells about the failure, beside its exit code. Only the last
 * lines count: what was overcome earlier is no reason.
 */
const LAST_LINES = 15;
/** A slip of the pen ("retry-after: 900000") must not park a task for days. */
const LONGEST_WAIT_S = 3600;

/**
 * Faults of the network or of a busy server, which pass by themselves. Kept short: a wrong "transient"
 * only costs a delay, but it also keeps the healer away.
 */
const TRANSIENT: readonly RegExp[] = [
  /\b(?:ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|EPIPE|EAI_AGAIN|ENETUNREACH)\b/,
  /\bsocket hang up\b/i,
  /\b(?:HTTP|status|error|code)\b\W{0,9}(?:code\W{0,3})?(?:429|502|503|504|529)\b/i,
  /\b(?:429 Too Many Requests|502 Bad Gateway|503 Service Unavailable|504 Gateway Time-?out)\b/i,
  /\b(?:overloaded(?:_error)?|rate[ _-]limit(?:ed|_error)?)\b/i,
  /\bTemporary failure in name resolution\b/i,
];

const RETRY_AFTER = /^\s*retry-after:\s*(\d{1,9}(?:\.\d+)?)\s*s?\s*$/i;

/** `true` when the end of the output looks like a fault that passes by itself. */
export function looksTransient(output: string): boolean {
  return lastLines(output).some((line) => TRANSIENT.some((pattern) => pattern.test(line)));
}

/**
 * Milliseconds a program asks to be left alone, by a line `retry-after: <seconds>` (as of HTTP) near the
 * end of its output; at most an hour. `null` when it does not say.
 */
export function retryAfterMs(output: string): number | null {
  const asked = lastLines(output)
    .map((line) => RETRY_AFTER.exec(line)?.[1])
    .filter((seconds) => seconds !== undefined)
    .at(-1);
  return asked === undefined ? null : Math.min(LONGEST_WAIT_S, Number(asked)) * 1000;
}

function lastLines(output: string): readonly string[] {
  return output.trimEnd().split(/\r?\n/).slice(-LAST_LINES);
}

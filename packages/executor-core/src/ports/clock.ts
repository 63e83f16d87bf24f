/** Time and timers. Instants are epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Calls `callback` once, `delayMs` from now; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

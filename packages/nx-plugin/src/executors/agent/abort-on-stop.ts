/** The part of `process` that tells a forked executor to stop. */
export interface StopSource {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  exit(code: number): void;
}

/** Nx sends SIGKILL about five seconds after SIGTERM: by then the agent has to be gone. */
const GRACE_MS = 4_000;
const EXIT_CODES: Readonly<Record<string, number>> = {
  SIGINT: 130,
  SIGTERM: 143,
  // Nx itself was killed: nobody else would ever stop the agent.
  disconnect: 143,
};

/**
 * Aborts `signal` on the first request to stop and ends the process when the work has not ended
 * `graceMs` later. `dispose` takes the listeners off again.
 */
export function abortOnStop(
  source: StopSource,
  graceMs: number = GRACE_MS,
): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  const listeners = Object.entries(EXIT_CODES).map(([event, code]) => {
    const listener = (): void => {
      if (controller.signal.aborted) return;
      timer = setTimeout(() => {
        source.exit(code);
      }, graceMs);
      controller.abort(event);
    };
    source.on(event, listener);
    return { event, listener };
  });
  return {
    signal: controller.signal,
    dispose() {
      if (timer !== null) clearTimeout(timer);
      for (const { event, listener } of listeners) source.off(event, listener);
    },
  };
}

/** Run id of this Nx command, for the processes Nx forks. */
export const RUN_VARIABLE = 'PARALLEL_NX_RUN';
/** `true` when the user told Nx to leave the cache alone, so that agents run again. */
export const FRESH_VARIABLE = 'PARALLEL_NX_FRESH';

type Environment = Readonly<Record<string, string | undefined>>;

const NO_CACHE = /^--(skip-nx-cache|skipNxCache|disable-nx-cache|disableNxCache)(=true)?$/;

/** A run id of our own form, from the clock. */
export function newRunId(): string {
  return `PEXEC-${Date.now()}`;
}

/** The run that this process belongs to: that of the Nx command, or a new one. */
export function runIdOf(env: Environment): string {
  return env[RUN_VARIABLE] ?? newRunId();
}

/** Whether this Nx command may take results from the cache. */
export function skipsCache(argv: readonly string[], env: Environment): boolean {
  const switches = ['NX_SKIP_NX_CACHE', 'NX_DISABLE_NX_CACHE'];
  return argv.some((arg) => NO_CACHE.test(arg)) || switches.some((name) => env[name] === 'true');
}

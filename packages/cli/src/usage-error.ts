/** Wrong usage of the command line: exit code 2. Does not need the engine to be loaded. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  constructor(
    message: string,
    /** What to do about it. */
    readonly fix: string | null = null,
  ) {
    super(message);
  }
}

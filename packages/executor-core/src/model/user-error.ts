/** What kind of mistake it was; the CLI maps it to an exit code. */
export type UserErrorKind = 'usage' | 'busy' | 'environment';

/**
 * A mistake or a situation the user can mend: shown as `message` and `fix`, never with a stack trace.
 * Everything else that is thrown is a bug.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    readonly kind: UserErrorKind,
    message: string,
    /** What to do about it; one sentence. */
    readonly fix: string | null = null,
  ) {
    super(message);
  }
}

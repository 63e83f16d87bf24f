/**
 * An error for a situation the user can mend: Nx prints the first line as its headline and the rest below,
 * and no stack, because there is none.
 */
export function nxError(headline: string, ...rest: readonly string[]): Error {
  const error = new Error([headline, ...rest].join('\n'));
  error.stack = '';
  return error;
}

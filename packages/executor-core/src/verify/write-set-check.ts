import { compileAccess } from '../graph/path-overlap';
import type { Access } from '../model/access';

/** `outside`: the paths no write glob covers, in the order they were given. */
export type WriteSetVerdict =
  { readonly ok: true } | { readonly ok: false; readonly outside: readonly string[] };

/**
 * Whether everything a candidate wrote lies in its task's write set. This, and not the sandbox or the
 * sparse checkout, is the authority: it sees every path of the commit that would land.
 * `paths` are repository paths as git prints them with `-z` (not quoted).
 */
export function checkWriteSet(
  paths: readonly string[],
  access: Pick<Access, 'writes'>,
): WriteSetVerdict {
  const allowed = compileAccess(access.writes);
  const outside = paths.filter((path) => !allowed(path));
  return outside.length === 0 ? { ok: true } : { ok: false, outside };
}

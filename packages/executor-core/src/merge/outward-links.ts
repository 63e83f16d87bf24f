import type { Git } from '../ports/git';
import type { PathChange } from './trees';

const LINK = '120000';

/**
 * Those of `changes` that are symbolic links out of the repository in `tree`: once landed, whoever writes
 * to what seems a file of the repository writes somewhere else.
 */
export async function outwardLinks(
  git: Git,
  root: string,
  tree: string,
  changes: readonly PathChange[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { path, mode } of changes) {
    if (mode !== LINK) continue;
    const target = await git.text(['cat-file', 'blob', `${tree}:${path}`], { cwd: root });
    if (leadsOut(path, target)) found.push(path);
  }
  return found;
}

/**
 * `true` when a link at the repository path `path` with this text may lead out of the repository. The
 * folders above a path in a tree are no links; others on the way could be, so `..` is trusted only at the
 * beginning of the text.
 */
export function leadsOut(path: string, target: string): boolean {
  if (/^(?:[/\\]|[A-Za-z]:)/.test(target)) return true;
  const names = target.split('/').filter((name) => name !== '' && name !== '.');
  const down = names.findIndex((name) => name !== '..');
  const ups = down < 0 ? names.length : down;
  return ups > path.split('/').length - 1 || names.slice(ups).includes('..');
}

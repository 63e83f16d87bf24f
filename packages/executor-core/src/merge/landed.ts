import type { Git } from '../ports/git';
import { CANDIDATE_TRAILER, trailerValues } from './trailers';

/**
 * What has landed on `ref`: candidate id to the commit that landed it, read from the trailers on the
 * first-parent chain, which is the only record of landing there is. `since`: look at what came after
 * this commit only; ignored when it is no ancestor of `ref`. The oldest commit wins where a candidate
 * occurs twice.
 */
export async function landedCandidates(
  git: Git,
  root: string,
  ref: string,
  since?: string,
): Promise<ReadonlyMap<string, string>> {
  const inside = since !== undefined && (await isAncestor(git, root, since, ref));
  const format = ['-z', '--format=%H%n%B', '--encoding=UTF-8', '--no-show-signature', '--no-color'];
  const select = ['--basic-regexp', `--grep=^${CANDIDATE_TRAILER}: `];
  const range = inside ? `${since}..${ref}` : ref;
  const args = ['log', '--first-parent', ...format, ...select, range, '--'];
  const landed = new Map<string, string>();
  for (const record of (await git.text(args, { cwd: root })).split('\0')) {
    const lineEnd = record.indexOf('\n');
    if (lineEnd <= 0) continue;
    // One for a task, many where a run landed as one commit.
    for (const id of trailerValues(record.slice(lineEnd + 1), CANDIDATE_TRAILER)) {
      landed.set(id, record.slice(0, lineEnd));
    }
  }
  return landed;
}

/** Commits looked at by ourselves before git is asked, which is quicker from there on. */
const SHORT_WALK = 500;

/** `true` when `ancestor` is `descendant` or in its history; also `false` when it does not exist. */
export async function isAncestor(
  git: Git,
  root: string,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  const objects = git.objects(root);
  const [wanted, start] = await Promise.all([
    objects.resolve(`${ancestor}^{commit}`),
    objects.resolve(`${descendant}^{commit}`),
  ]);
  if (wanted === null || start === null) return false;
  const seen = new Set([start]);
  for (const commit of seen) {
    if (commit === wanted) return true;
    if (seen.size > SHORT_WALK) return asksGit(git, root, wanted, start);
    for (const parent of (await objects.readCommit(commit)).parents) seen.add(parent);
  }
  return false;
}

async function asksGit(git: Git, root: string, wanted: string, start: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', wanted, start];
  return (await git.run(args, { cwd: root })).exitCode === 0;
}

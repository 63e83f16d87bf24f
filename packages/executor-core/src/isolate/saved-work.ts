import type { WorktreeSite } from './worktree-site';

/** Refs under which finished and salvaged work is kept until it is proven to have landed. */
export const KEPT_REFS = 'refs/parallel';
/** Checkpoints, `wip-<attempt>`, are moved on and dropped again: what only they hold is not saved. */
const CHECKPOINTS = `${KEPT_REFS}/*/*/wip-*`;

type Where = Pick<WorktreeSite, 'git' | 'commonDir'>;

/**
 * `true` when nothing is lost with `commit`: it is reachable from one of `landed` or from a ref under
 * `refs/parallel/`, or such a ref has exactly its files (a candidate is an agent's commits in one).
 * `false` also when git cannot tell.
 */
export async function isSaved(
  site: Where,
  commit: string,
  landed: readonly string[],
): Promise<boolean> {
  if (landed.includes(commit)) return true;
  const { git, commonDir: cwd } = site;
  const unsaved = await git.run(
    [
      ...['rev-list', '--max-count=1', commit, '--not'],
      ...[`--exclude=${CHECKPOINTS}`, `--glob=${KEPT_REFS}/*`, ...landed],
    ],
    { cwd },
  );
  if (unsaved.exitCode !== 0) return false;
  if (unsaved.stdout.trim() === '') return true;
  const tree = await git.run(['rev-parse', '--verify', '--quiet', `${commit}^{tree}`], { cwd });
  return tree.exitCode === 0 && (await keptTrees(site)).has(tree.stdout.trim());
}

/** Trees of the commits kept under our refs: a candidate has the files of the worktree it was made of. */
export async function keptTrees({ git, commonDir }: Where): Promise<ReadonlySet<string>> {
  const format = '--format=%(tree) %(refname)';
  const listed = await git.text(['for-each-ref', format, `${KEPT_REFS}/`], { cwd: commonDir });
  const kept = listed.split('\n').filter((line) => !/\/wip-\d+$/.test(line));
  return new Set(kept.map((line) => line.split(' ')[0] ?? '').filter((tree) => tree !== ''));
}

/** Keeps `commit` under `<folder>/salvage-<start of its id>`; resolves with that ref. */
export async function saveCommit(site: Where, commit: string, folder: string): Promise<string> {
  const ref = `${folder}/salvage-${commit.slice(0, 8)}`;
  await site.git.text(['update-ref', ref, commit], { cwd: site.commonDir });
  return ref;
}

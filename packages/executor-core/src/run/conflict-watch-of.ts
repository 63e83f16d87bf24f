import { join } from 'node:path';
import { glanceAtTree } from '../isolate/snapshot-worktree';
import { runPaths } from '../store/run-dir';
import { ConflictWatch, type ConflictWatchDeps } from './conflict-watch';
import type { Engine } from './engine';
import { quarantineIn } from './quarantine';
import type { AssembleOptions, RunParts } from './run-parts';

const EVERY_MS = 30_000;

/**
 * The watch of a run. It does not look where locks keep overlapping writers apart, nor under Nx, where
 * each process sees its own task alone.
 */
export function conflictWatchOf(
  { tools, repository }: Engine,
  { run, plan, frontDoor }: AssembleOptions,
  {
    integration,
    pool,
    emit,
  }: Pick<RunParts, 'integration' | 'pool'> & Pick<ConflictWatchDeps, 'emit'>,
): ConflictWatch {
  const { root, commonDir } = repository;
  const { forecast = EVERY_MS, conflictPolicy } = plan.settings;
  const isIdle = forecast === 'off' || conflictPolicy === 'wait' || frontDoor === 'nx';
  const folder = join(runPaths(root, run).dir, 'ahead');
  return new ConflictWatch({
    clock: tools.clock,
    quarantine: quarantineIn(folder, tools.git, tools.fs, commonDir),
    root,
    everyMs: isIdle ? null : forecast,
    treeOf: async (git, worktree) => glanceAtTree({ ...(await pool.site()), git }, worktree),
    tip: () => integration.tip(),
    emit,
  });
}

import { join } from 'node:path';
import type { LandingStyle } from '../merge/landing-style';
import { createMerger } from '../merge/merge-strategy';
import type { RunId } from '../model/ids';
import type { Settings } from '../model/task';
import { runPaths } from '../store/run-dir';
import type { Engine } from './engine';

/** What a plan says about how its work is merged and committed, ready to be used. */
export function landingStyle(
  { tools, repository }: Pick<Engine, 'tools' | 'repository'>,
  run: RunId,
  { mergeStrategy, mergeOptions = [] }: Settings,
): LandingStyle {
  const { root, commonDir } = repository;
  const scratch = join(runPaths(root, run).dir, 'scratch');
  const choice = { strategy: mergeStrategy, options: mergeOptions };
  return { merge: createMerger({ fs: tools.fs, commonDir, scratch }, choice) };
}

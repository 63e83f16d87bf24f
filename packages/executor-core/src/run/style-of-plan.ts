import { join } from 'node:path';
import type { LandingStyle } from '../merge/landing-style';
import { PLAIN_COMMITS } from '../merge/commit';
import { createMerger } from '../merge/merge-strategy';
import type { RunId } from '../model/ids';
import type { FrontDoor } from '../model/event';
import type { CommitsMode, CommitSettings, LandMode, Settings } from '../model/task';
import { runPaths } from '../store/run-dir';
import type { Engine } from './engine';

const AS_THE_USER: CommitSettings = { author: 'user', sign: 'auto' };

/** What a plan says about how its work is merged and committed, ready to be used. */
export function landingStyle(
  { tools, repository }: Pick<Engine, 'tools' | 'repository'>,
  run: RunId,
  settings: Settings,
): LandingStyle {
  const { root, commonDir } = repository;
  const scratch = join(runPaths(root, run).dir, 'scratch');
  const choice = { strategy: settings.mergeStrategy, options: settings.mergeOptions ?? [] };
  return {
    merge: createMerger({ fs: tools.fs, commonDir, scratch }, choice),
    // Squashed, they never get to the target.
    commit: settings.commits === 'squash' ? PLAIN_COMMITS : commitsOf(settings),
    mergeCommits: settings.commits === 'merge',
  };
}

/** Who is named by the commits that the target gets, and whether they are signed. */
export function commitsOf({ commit }: Settings): CommitSettings {
  return commit ?? AS_THE_USER;
}

/** How the target follows the integration branch. */
export interface Publishing {
  readonly land: LandMode;
  /** `squash`: what the target does not have yet gets to it as one commit. */
  readonly commits: CommitsMode;
  /** Of the commit that squashing makes. */
  readonly commit: CommitSettings;
  /** At the end of the run alone, not as work lands. */
  readonly once: boolean;
}

/** What the plan says about it. Under Nx no process knows which one is the last. */
export function publishingOf(settings: Settings, frontDoor: FrontDoor): Publishing {
  const { land, commits = 'linear' } = settings;
  const once = frontDoor !== 'nx' && commits === 'squash';
  return { land, commits, commit: commitsOf(settings), once };
}

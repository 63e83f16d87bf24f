import { join } from 'node:path';

import { lockfileMutex } from '../adapters/lockfile-mutex';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeFileTree } from '../adapters/node-file-tree';
import { nodeMounts } from '../adapters/node-mounts';
import { nodeProcesses } from '../adapters/node-processes';
import { gitAdapter } from '../adapters/simple-git';
import { createWorktreePool, type WorktreePool } from '../isolate/worktree-pool';
import type { WorktreeSiteOptions } from '../isolate/worktree-site';
import { parseRunId } from '../model/ids';
import type { Files, TestRepository } from './git-repository';
import { makeRepository } from './git-repository';

/** A real repository with a worktree pool over it. */
export interface WorktreeRig extends TestRepository {
  readonly options: WorktreeSiteOptions;
  readonly pool: WorktreePool;
  /** Commit id of `main` when the rig was made. */
  readonly head: string;
  /** A pool of its own over the same repository, as another process has it. */
  newPool(): WorktreePool;
  /** Absolute path below the folder of the worktrees. */
  inBase(...names: readonly string[]): string;
  /** Short names of all branches, and full names of the refs under `refs/parallel/`. */
  branches(): Promise<readonly string[]>;
  kept(): Promise<readonly string[]>;
}

/** The real tools, and the folder `.worktrees/`, for a repository. */
export function siteOptions(root: string): WorktreeSiteOptions {
  return {
    git: gitAdapter(),
    fs: nodeFileSystem(),
    files: nodeFileTree(),
    mutex: lockfileMutex(nodeProcesses()),
    mounts: nodeMounts(),
    root,
    commonDir: join(root, '.git'),
    base: '.worktrees',
    runId: parseRunId('PEXEC-1'),
  };
}

/** Makes a repository with `files` and a pool in `.worktrees/`; nothing exists there yet. */
export async function makeWorktreeRig(files: Files): Promise<WorktreeRig> {
  const repository = await makeRepository(files);
  const { root } = repository;
  const options = siteOptions(root);
  const newPool = () => createWorktreePool(options);
  const refs = async (format: string, below: string) =>
    (await repository.git(['for-each-ref', `--format=${format}`, below]))
      .split('\n')
      .filter(Boolean);
  return {
    ...repository,
    options,
    newPool,
    pool: newPool(),
    head: await repository.git(['rev-parse', 'HEAD']),
    inBase: (...names) => join(root, '.worktrees', ...names),
    branches: () => refs('%(refname:short)', 'refs/heads/'),
    kept: () => refs('%(refname)', 'refs/parallel/'),
  };
}

import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { gitAdapter } from '../adapters/simple-git';
import type { CandidateResult } from '../merge/candidate';
import { makeCandidate } from '../merge/candidate';
import type { QueueItem } from '../merge/stack';
import { commitMessage } from '../merge/trailers';
import { parseRunId, parseTaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import type { Git } from '../ports/git';
import type { Files, TestRepository } from './git-repository';
import { makeRepository } from './git-repository';

/** Full name of the integration branch of every rig. */
export const INTEGRATION = 'refs/heads/parallel/PEXEC-1';

/** Path to new content; `null` deletes. */
export type Edits = Readonly<Record<string, string | null>>;

/** A repository with an integration branch at `main`, and hands to make candidates for it. */
export interface MergeRig {
  readonly repo: TestRepository;
  readonly root: string;
  readonly git: Git;
  readonly fs: FileSystem;
  /** Adds a linked worktree beside the repository on the new branch `name` and resolves with its path. */
  addWorktree(name: string, base?: string): Promise<string>;
  /** Makes the work found in `worktree` a candidate of the task `task`. */
  collect(
    task: string,
    worktree: string,
    base: string,
    fence?: number,
    freshIndex?: string | null,
  ): Promise<CandidateResult>;
  /** A candidate that makes `edits` on `base` (default: the integration tip), ready to be queued. */
  candidate(task: string, edits: Edits, base?: string, fence?: number): Promise<QueueItem>;
  /** Commit id of the integration branch. */
  tip(): Promise<string>;
  /** Paths of the integration branch below `task:path`, e.g. `show('src/a.ts')`. */
  show(path: string): Promise<string>;
  cleanup(): Promise<void>;
}

/** Makes a rig; `files` are the first commit. */
export async function makeMergeRig(files?: Files): Promise<MergeRig> {
  const repo = await makeRepository(files);
  const git = gitAdapter();
  const fs = nodeFileSystem();
  const { root } = repo;
  await repo.git(['update-ref', INTEGRATION, 'main']);
  const tip = () => repo.git(['rev-parse', INTEGRATION]);
  const label = (task: string, candidate?: string) =>
    commitMessage({
      run: 'PEXEC-1',
      task,
      agent: 'tester',
      attempt: 1,
      prompt: `Do ${task}`,
      ...(candidate === undefined ? {} : { candidate }),
    });
  const addWorktree = async (name: string, base = 'main') => {
    const path = join(dirname(root), name);
    await repo.git(['worktree', 'add', '--quiet', '--no-track', '-B', name, path, base]);
    return path;
  };
  const collect = (
    task: string,
    worktree: string,
    base: string,
    fence = 1,
    freshIndex: string | null = null,
  ) =>
    makeCandidate({
      ...{ git, fs, root, worktree, base, fence, freshIndex },
      run: parseRunId('PEXEC-1'),
      task: parseTaskId(task),
      message: label(task),
    });
  const candidate = async (task: string, edits: Edits, base?: string, fence?: number) => {
    const from = base ?? (await tip());
    const worktree = await addWorktree(`work-${task}`, from);
    for (const [path, content] of Object.entries(edits)) {
      if (content === null) await rm(join(worktree, path), { recursive: true });
      else await repo.write({ [path]: content }, worktree);
    }
    const made = await collect(task, worktree, from, fence);
    if ('failure' in made) throw new Error(JSON.stringify(made.failure));
    await repo.git(['worktree', 'remove', '--force', worktree]);
    const { commit } = made.candidate;
    return {
      task: parseTaskId(task),
      attempt: 1,
      candidate: made.candidate,
      message: label(task, commit),
    };
  };
  const show = (path: string) => repo.git(['show', `${INTEGRATION}:${path}`]);
  return {
    repo,
    root,
    git,
    fs,
    addWorktree,
    collect,
    candidate,
    tip,
    show,
    cleanup: () => repo.cleanup(),
  };
}

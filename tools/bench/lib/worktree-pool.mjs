import { join } from 'node:path';
import { core } from './core.mjs';

/** What a worktree pool of the built core, on the real adapters, needs to know of the repository at `root`. */
export function poolOptions(root) {
  const processes = core('adapters/node-processes').nodeProcesses();
  return {
    git: core('adapters/simple-git').gitAdapter(),
    fs: core('adapters/node-file-system').nodeFileSystem(),
    files: core('adapters/node-file-tree').nodeFileTree(),
    mutex: core('adapters/lockfile-mutex').lockfileMutex(processes),
    mounts: core('adapters/node-mounts').nodeMounts(),
    clock: core('adapters/node-clock').nodeClock(),
    root,
    commonDir: join(root, '.git'),
    base: '.worktrees/',
    runId: 'PEXEC-1',
  };
}

/** A pool over `poolOptions`. */
export function openPool(options) {
  return core('isolate/worktree-pool').createWorktreePool(options);
}

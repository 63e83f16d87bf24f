import type { WorktreeSiteOptions } from '../isolate/worktree-site';

/**
 * The tools of a process that dies at its call number `lives` (from 0) to git, to the file system or for a mount:
 * that call and all later ones reject and do nothing.
 */
export function mortalTools(options: WorktreeSiteOptions, lives: number): WorktreeSiteOptions {
  let left = lives;
  const mortal = <T extends object>(tools: T): T =>
    new Proxy(tools, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          // Asking for the tools is no call; what is asked with them is.
          if (name !== 'objects') left -= 1;
          if (left < 0) return Promise.reject(new Error('killed'));
          const answer: unknown = Reflect.apply(value, target, args);
          return name === 'objects' ? mortal(answer as object) : answer;
        };
      },
    });
  const { git, fs, files, mounts } = options;
  return {
    ...options,
    git: mortal(git),
    fs: mortal(fs),
    files: mortal(files),
    ...(mounts === undefined ? {} : { mounts: mortal(mounts) }),
  };
}

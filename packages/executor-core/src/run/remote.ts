import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Git } from '../ports/git';
import type { Engine } from './engine';

/** Where branches are pushed to. */
export interface Remote {
  readonly name: string;
  readonly url: string;
}

const FIX = 'Add one (git remote add origin URL), or use land: branch. Nothing was changed.';

/** Throws `UserError` when the plan wants pull requests and there is nowhere to open them. */
export async function checkRemote({ tools, repository }: Engine, plan: Plan): Promise<void> {
  if (plan.settings.land !== 'pr') return;
  const { root, branch } = repository;
  if (branch === null) {
    const message = 'land: pr needs a branch to ask for, and HEAD is detached.';
    throw new UserError('usage', message, 'Check out a branch first. Nothing was changed.');
  }
  if ((await remoteOf(tools.git, root, branch)) === null) {
    throw new UserError('usage', 'land: pr needs a remote, and this repository has none.', FIX);
  }
}

/** The remote a branch (full name) follows, else `origin`; `null` when there is neither. */
export async function remoteOf(git: Git, root: string, branch: string): Promise<Remote | null> {
  const short = branch.replace(/^refs\/heads\//, '');
  const followed = await git.run(['config', '--get', `branch.${short}.remote`], { cwd: root });
  for (const name of [followed.stdout.trim(), 'origin']) {
    // A dot is this very repository.
    if (name === '' || name === '.') continue;
    const found = await git.run(['remote', 'get-url', '--push', '--', name], { cwd: root });
    if (found.exitCode === 0) return { name, url: found.stdout.trim() };
  }
  return null;
}

/** The page on which a pull request can be opened by hand; `null` where we do not know it. */
export function comparePage(url: string, base: string, head: string): string | null {
  const form =
    /^(?:https?:\/\/|ssh:\/\/)?(?:[^@/]*@)?([^:/]*github[^:/]*)[:/]([^/]+\/[^/]+?)(?:\.git)?\/?$/;
  const [, host, path] = form.exec(url) ?? [];
  if (host === undefined || path === undefined) return null;
  const range = `${encodeURIComponent(base)}...${encodeURIComponent(head)}`;
  return `https://${host}/${path}/compare/${range}?expand=1`;
}

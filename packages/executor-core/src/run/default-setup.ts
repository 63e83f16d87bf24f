import { join } from 'node:path';
import type { Plan, WorktreeSetup } from '../model/task';
import type { Toolbox } from './toolbox';

/** What is not in here has not been tried. */
const LOCKFILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock'];
const LINK_FARM: WorktreeSetup = {
  copy: [],
  link: ['node_modules'],
  run: [],
  byDefault: true,
};

/**
 * The plan with the set-up its worktrees really get. Where it says nothing about it, they get the packages that are
 * installed in the main checkout: where `node_modules` is a real folder that git ignores, beside a lockfile of
 * npm, pnpm or yarn.
 */
export async function withDefaultSetup(
  tools: Pick<Toolbox, 'files' | 'git'>,
  root: string,
  plan: Plan,
): Promise<Plan> {
  const { setup } = plan.settings;
  if (setup.byDefault !== true || !(await hasPackages(tools, root))) return plan;
  return { ...plan, settings: { ...plan.settings, setup: LINK_FARM } };
}

async function hasPackages(
  { files, git }: Pick<Toolbox, 'files' | 'git'>,
  root: string,
): Promise<boolean> {
  if ((await files.kind(join(root, 'node_modules'))) !== 'folder') return false;
  const kinds = await Promise.all(LOCKFILES.map((name) => files.kind(join(root, name))));
  if (!kinds.includes('file')) return false;
  const ignored = await git.run(['check-ignore', '--quiet', 'node_modules'], { cwd: root });
  return ignored.exitCode === 0;
}

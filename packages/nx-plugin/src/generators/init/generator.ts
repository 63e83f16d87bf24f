import { logger, readNxJson, updateNxJson, type Tree } from '@nx/devkit';
import { PLAN_FILES, STARTER_PLAN } from '@parallel-executor/core';
import { installedName } from '../../plugin-name';

/** Options of `nx g parallel:init`; see schemas/init.json. */
export interface InitGeneratorOptions {
  readonly skipPlan?: boolean;
}

const NAMES = ['@parallel-executor/nx', 'parallel'];
const STATE = ['.parallel/', '.worktrees/'];

/**
 * Sets the plugin up: its entry in nx.json, our two state folders in `.gitignore` (and in `.nxignore`,
 * where there is one), and a starter plan where there is none. A second run changes nothing.
 */
export function initGenerator(tree: Tree, options: InitGeneratorOptions = {}): void {
  addPlugin(tree);
  ignoreState(tree, '.gitignore', true);
  ignoreState(tree, '.nxignore', false);
  if (options.skipPlan !== true && !PLAN_FILES.some((file) => tree.exists(file))) {
    tree.write('parallel.yaml', STARTER_PLAN);
    logger.info('parallel.yaml: a starter plan. nx g parallel:plan writes one from your projects.');
  }
}

function addPlugin(tree: Tree): void {
  const nxJson = readNxJson(tree) ?? {};
  const plugins = nxJson.plugins ?? [];
  const names = plugins.map((entry) => (typeof entry === 'string' ? entry : entry.plugin));
  if (names.some((name) => NAMES.includes(name))) return;
  updateNxJson(tree, { ...nxJson, plugins: [...plugins, installedName(tree.root)] });
}

function ignoreState(tree: Tree, file: string, create: boolean): void {
  const text = tree.read(file, 'utf8');
  if (text === null && !create) return;
  const present = new Set(
    (text ?? '').split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, '')),
  );
  const missing = STATE.filter((entry) => !present.has(entry.replace(/\/$/, '')));
  if (missing.length === 0) return;
  const before = text === null || text === '' || text.endsWith('\n') ? (text ?? '') : `${text}\n`;
  tree.write(file, `${before}${missing.join('\n')}\n`);
}

import { createProjectGraphAsync, logger, type ProjectGraph, type Tree } from '@nx/devkit';
import { PLAN_FILES, STARTER_PLAN } from '@parallel-executor/core';
import { nxError } from '../../nx-error';
import { planText } from '../plan-text';
import { affectedProjects } from './affected-projects';
import { toList, type PlanGeneratorOptions } from './options';
import { planDocument, type PlanDocument } from './plan-document';
import { projectFacts, type ProjectFacts } from './project-facts';
import { selectProjects } from './select-projects';

const DEFAULT_FILE = 'parallel.yaml';

/** What the generator asks of Nx. */
export interface PlanSources {
  readonly graph: () => Promise<ProjectGraph>;
  /** Names of the projects affected since `base`. */
  readonly affected: (workspaceRoot: string, base: string | undefined) => ReadonlySet<string>;
}

const FROM_NX: PlanSources = {
  graph: () => createProjectGraphAsync({ exitOnError: false, resetDaemonClient: true }),
  affected: affectedProjects,
};

/**
 * Writes a plan with one task per selected project. Changes nothing and throws an error when there is
 * a plan already (without `force`; the starter plan does not count), a goal without an agent, or no
 * project.
 */
export async function planGenerator(
  tree: Tree,
  options: PlanGeneratorOptions,
  sources: PlanSources = FROM_NX,
): Promise<void> {
  const file = options.output ?? DEFAULT_FILE;
  refuseToOverwrite(tree, file, options.force === true);
  const prompt = readGoal(tree, options);
  const projects = projectFacts(await sources.graph());
  const selected = selectNames(projects, options, () => sources.affected(tree.root, options.base));
  const verify = toList(options.verify ?? 'test');
  const document = planDocument({
    projects,
    selected,
    prompt,
    agent: options.agent ?? null,
    command: options.command ?? null,
    verifyTargets: verify.includes('none') ? [] : verify,
    followDeps: options.followDeps === true,
  });
  tree.write(
    file,
    file.endsWith('.json') ? `${JSON.stringify(document, null, 2)}\n` : planText(document),
  );
  tell(document, file);
}

function refuseToOverwrite(tree: Tree, file: string, force: boolean): void {
  const names: readonly string[] = PLAN_FILES;
  const rivals = names.includes(file) ? names.filter((name) => name !== file) : [];
  const present = [file, ...rivals].find((name) => tree.exists(name));
  if (present === undefined || (force && present === file)) return;
  if (present === file && tree.read(file, 'utf8') === STARTER_PLAN) return;
  throw nxError(
    `${present} exists already; nothing was changed.`,
    present === file
      ? 'Use --force to overwrite it, or --output for another file.'
      : `Use --output=${present} --force, or remove it.`,
  );
}

function readGoal(
  tree: Tree,
  { prompt, promptFile, command, agent }: PlanGeneratorOptions,
): string | null {
  if (prompt !== undefined && promptFile !== undefined) {
    throw nxError('Both --prompt and --prompt-file are given.', 'Leave one of them out.');
  }
  const goal = promptFile === undefined ? prompt : tree.read(promptFile, 'utf8');
  if (goal === null) {
    throw nxError(
      `The prompt file ${promptFile ?? ''} does not exist.`,
      'Paths are relative to the workspace root.',
    );
  }
  if (goal === undefined || goal.trim() === '') return null;
  if (command !== undefined || agent !== undefined) return goal;
  throw nxError(
    'A goal is given, but nobody to reach it.',
    'Name the program that does the work: --command "node tools/codemod.mjs", or --agent NAME.',
  );
}

function selectNames(
  projects: readonly ProjectFacts[],
  options: PlanGeneratorOptions,
  affected: () => ReadonlySet<string>,
): ReadonlySet<string> {
  const patterns = toList(options.projects);
  const { projects: matching, unmatched } = selectProjects(projects, patterns);
  if (unmatched.length > 0) {
    throw nxError(
      `No project matches ${unmatched.join(', ')}.`,
      'npx nx show projects lists the names.',
    );
  }
  const wanted = options.affected === true ? affected() : null;
  const names = matching.map(({ name }) => name).filter((name) => wanted?.has(name) ?? true);
  if (names.length > 0) return new Set(names);
  throw nxError(
    wanted === null
      ? 'This workspace has no projects to plan for.'
      : 'No selected project is affected.',
    wanted === null ? 'npx nx show projects lists what Nx sees.' : 'Give another --base.',
  );
}

function tell({ tasks, agents }: PlanDocument, file: string): void {
  const count = Object.keys(tasks).length;
  logger.info(`${file}: ${count} task${count === 1 ? '' : 's'}, one per project.`);
  if (agents === undefined) {
    logger.warn(
      'No agent is named, so nothing will be done: name one under agents: and default_agent:, or give --command.',
    );
  }
  logger.info(
    `Look at it first: npx parallel-cli plan. Run it: npx nx run-many -t agent --parallel=25`,
  );
}

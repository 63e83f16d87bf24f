import { parseTrailers, TASK_TRAILER } from '../merge/trailers';
import type { Git } from '../ports/git';
import type { AttemptScene } from './attempt-context';
import type { Resolver } from './resolver';

/** A conflict that an agent is to settle. */
export interface ConflictStory {
  /** What the candidate was made from. */
  readonly base: string;
  readonly candidate: string;
  /** Repository paths. */
  readonly paths: readonly string[];
  /** Why it failed the last time it tried; `null`: it has not. */
  readonly refused: string | null;
}

/** More paths, commits and characters of a diff than these are not shown. */
const MOST_PATHS = 30;
const MOST_COMMITS = 20;
const MOST_DIFF = 20_000;

/**
 * What an agent is told of a conflict: the paths, what both sides were to do and who landed what, and what
 * each side did to these paths. Plain text, sections apart by a blank line.
 */
export async function conflictBrief(
  {
    git,
    root,
    resolver,
  }: { readonly git: Git; readonly root: string; readonly resolver: Resolver },
  { task, base: onto }: Pick<AttemptScene, 'task' | 'base'>,
  { base, candidate, paths, refused }: ConflictStory,
): Promise<string> {
  const limits = paths.slice(0, MOST_PATHS);
  const mergeBase = await git.run(['merge-base', base, onto], { cwd: root });
  const since = mergeBase.exitCode === 0 ? mergeBase.stdout.trim() : base;
  const sections = [
    [`The work of ${task.id} conflicts with what has landed.`],
    refused === null ? [] : ['What you made of it was refused:', indented(refused)],
    ['In conflict:', ...limits.map(indented), ...more(paths.length - limits.length)],
    [`What ${task.id} was to do:`, indented(task.prompt ?? '(its plan has no words for it)')],
    ['Who changed these files on the target meanwhile, the latest first:'],
    await landedLines(git, root, resolver, `${since}..${onto}`, limits),
    [`What ${task.id} changed in them:`, await diff(git, root, base, candidate, limits)],
    ['What the target changed in them:', await diff(git, root, since, onto, limits)],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

async function landedLines(
  git: Git,
  root: string,
  { promptOf }: Resolver,
  range: string,
  paths: readonly string[],
): Promise<readonly string[]> {
  const form = ['-z', '--format=%h%n%an%n%B', `--max-count=${MOST_COMMITS}`];
  const args = ['log', '--first-parent', ...form, range, '--', ...paths.map(literal)];
  const { exitCode, stdout } = await git.run(args, { cwd: root });
  const commits = exitCode === 0 ? stdout.split('\0').filter((text) => text.trim() !== '') : [];
  return commits.map((text) => {
    const [id = '', author = '', ...message] = text.split('\n');
    const by = parseTrailers(message.join('\n')).get(TASK_TRAILER);
    if (by === undefined) return indented(`${id} by ${author}: ${message[0] ?? ''}`);
    return indented(`${id} by the task ${by}: ${promptOf(by) ?? message[0] ?? ''}`);
  });
}

async function diff(
  git: Git,
  root: string,
  from: string,
  to: string,
  paths: readonly string[],
): Promise<string> {
  const how = ['--no-color', '--no-ext-diff', '--no-textconv', '--no-renames'];
  const args = ['diff', ...how, from, to, '--', ...paths.map(literal)];
  const { stdout } = await git.run(args, { cwd: root });
  if (stdout.length <= MOST_DIFF) return stdout.trimEnd();
  return `${stdout.slice(0, MOST_DIFF)}\n(cut; all of it: git diff ${from} ${to})`;
}

function literal(path: string): string {
  return `:(top,literal)${path}`;
}

function more(left: number): readonly string[] {
  return left > 0 ? [indented(`and ${left} more`)] : [];
}

function indented(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

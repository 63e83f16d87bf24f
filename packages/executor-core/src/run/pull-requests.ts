import { join } from 'node:path';
import type { RequestBranch } from '../merge/pull-request-branches';
import { Inseparable, requestBranches } from '../merge/pull-request-branches';
import type { EventOf, Fact, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { GitError } from '../ports/git';
import { viewOf } from '../report/fold';
import { runPaths } from '../store/run-dir';
import type { Engine } from './engine';
import type { Remote } from './remote';
import { comparePage, remoteOf } from './remote';
import { commitsOf } from './style-of-plan';
import { openOnWeb } from './web-requests';

export interface PullRequestContext {
  readonly engine: Engine;
  readonly plan: Plan;
  readonly run: RunId;
  /** What was journalled so far. */
  readonly events: readonly RunEvent[];
  /** Tip of the branch that holds everything. */
  readonly tip: string;
  readonly emit: (fact: Fact) => Promise<void>;
}

type Told = EventOf<'pull-request'>;

/**
 * Pushes what landed and asks for it to be taken, see `requestBranches`. Each branch is told as a
 * `pull-request` fact, also when something kept it from being pushed or asked for; a run that is
 * continued asks only for what has no pull request yet.
 */
export async function openPullRequests(context: PullRequestContext): Promise<void> {
  const { engine, plan, run, events, tip } = context;
  const { git } = engine.tools;
  const { root } = engine.repository;
  const view = viewOf(plan, events);
  const started = events.find((event) => event.type === 'run:started');
  const target = started?.target ?? null;
  const remote = target === null ? null : await remoteOf(git, root, target);
  if (started === undefined || target === null || remote === null) return;
  const landed = view.landed.flatMap((id) => {
    const commit = view.tasks.get(id)?.commit ?? null;
    const dependsOn = plan.tasks.find((task) => task.id === id)?.dependsOn ?? [];
    return commit === null ? [] : [{ task: id, commit, dependsOn }];
  });
  const { pullRequests: per = 'run' } = plan.settings;
  const commit = commitsOf(plan.settings);
  const whole = { git, root, base: started.base, tip, landed, commit };
  const before = new Map<string, Told>();
  for (const event of events) if (event.type === 'pull-request') before.set(event.branch, event);
  const pushed = new Map(
    [...before.values()].flatMap(({ tasks, commit: there, url }) =>
      url !== null && tasks[0] !== undefined ? [[tasks[0], there] as const] : [],
    ),
  );
  const branches = await requestBranches({ ...whole, per, pushed }).catch((error: unknown) => {
    // What cannot be taken apart is asked for as a whole.
    if (!(error instanceof Inseparable || error instanceof GitError)) throw error;
    return requestBranches({ ...whole, per: 'run' });
  });
  for (const branch of branches) {
    await askFor(context, branch, {
      remote,
      before: before.get(branchName(run, branch.name)),
      base: branch.onto === null ? shortName(target) : branchName(run, branch.onto),
    });
  }
}

function branchName(run: RunId, task: TaskId | null): string {
  return task === null ? `parallel/${run}` : `parallel/${run}-${task}`;
}

function shortName(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

interface Place {
  readonly remote: Remote;
  readonly base: string;
  readonly before: Told | undefined;
}

async function askFor(
  context: PullRequestContext,
  { name, commit, tasks }: RequestBranch,
  { remote, base, before }: Place,
): Promise<void> {
  const { engine, run, emit } = context;
  const { tools, repository } = engine;
  const branch = branchName(run, name);
  const done = before !== undefined && before.url !== null && sameTasks(before, tasks);
  if (done) return;
  const tell = (url: string | null, reason: string | null): Promise<void> => {
    const where = { remote: remote.name, branch, base, commit };
    return emit({ type: 'pull-request', ...where, tasks, url, reason, at: tools.clock.now() });
  };
  const refused = await push(context, remote, branch, commit);
  if (refused !== null) {
    await tell(null, `${branch} could not be pushed to ${remote.name}: ${refused}`);
    return;
  }
  const [title = branch] = (await message(context, name === null ? null : commit)).split('\n');
  const opened = await openOnWeb(
    {
      ...tools,
      cwd: repository.root,
      logPath: join(runPaths(repository.root, run).dir, 'pull-requests.log'),
    },
    { head: branch, base, title, body: bodyOf(run, tasks) },
  );
  if ('url' in opened) return tell(opened.url, null);
  const page = comparePage(remote.url, base, branch);
  const byHand = page ?? `gh pr create --head ${branch} --base ${base}`;
  await tell(null, `${branch} is pushed to ${remote.name}; ${opened.reason}. Open it: ${byHand}`);
}

function sameTasks(before: Told, tasks: readonly TaskId[]): boolean {
  return before.tasks.length === tasks.length && tasks.every((id) => before.tasks.includes(id));
}

async function message(
  { engine, run }: PullRequestContext,
  commit: string | null,
): Promise<string> {
  if (commit === null) return `Work of ${run}`;
  const { root: cwd } = engine.repository;
  return engine.tools.git.text(['show', '-s', '--format=%B', commit], { cwd });
}

function bodyOf(run: RunId, tasks: readonly TaskId[]): string {
  return `${tasks.map((task) => `- ${task}`).join('\n')}\n\nParallel-Run: ${run}\n`;
}

/**
 * Sets the branch on the remote; `null` when it is there. A branch that somebody pushed to is left
 * alone: its commit is none of ours.
 */
async function push(
  { engine }: PullRequestContext,
  remote: Remote,
  branch: string,
  commit: string,
): Promise<string | null> {
  const { git } = engine.tools;
  const cwd = engine.repository.root;
  const ref = `refs/heads/${branch}`;
  const listed = await git.run(['ls-remote', '--', remote.name, ref], { cwd });
  if (listed.exitCode !== 0) return lastLine(listed.stderr);
  const there = listed.stdout.split('\t')[0] ?? '';
  if (there === commit) return null;
  if (there !== '' && (await git.objects(cwd).resolve(`${there}^{commit}`)) === null) {
    return 'somebody else has pushed to it';
  }
  const lease = `--force-with-lease=${ref}:${there}`;
  const args = ['push', '--quiet', '--no-verify', '--recurse-submodules=no', '--no-follow-tags'];
  const pushed = await git.run([...args, lease, '--', remote.name, `${commit}:${ref}`], { cwd });
  return pushed.exitCode === 0 ? null : lastLine(pushed.stderr);
}

function lastLine(stderr: string): string {
  const said = stderr.split('\n').filter((line) => /^(?:fatal|error|remote|ssh|! |\s!)/.test(line));
  // An address may hold a password.
  return (said[0] ?? stderr.trim()).trim().replace(/\/\/[^@/\s]*@/g, '//');
}

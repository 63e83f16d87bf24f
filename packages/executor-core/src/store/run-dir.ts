import { join, relative, sep } from 'node:path';
import { isRunId, parseRunId } from '../model/ids';
import type { RunId, TaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { FileTree } from '../ports/file-tree';

/** Highest `-<n>` suffix a run id may carry. */
const MOST_RUNS_PER_MS = 9999;

/** Where everything of a repository lives that is ours. All paths are absolute when `root` is. */
export interface StatePaths {
  readonly stateDir: string;
  readonly runsDir: string;
  readonly locksDir: string;
  /** Result bundles: `<outDir>/<task>/`. */
  readonly outDir: string;
  /** Holds the id of the run started last. */
  readonly currentFile: string;
}

/** The files of one attempt; `dir` is not created by asking for it. */
export interface AttemptPaths {
  readonly dir: string;
  /** Everything the agent printed. */
  readonly transcript: string;
  /** The agent's own event stream, one JSON object per line. */
  readonly events: string;
  readonly promptFile: string;
  readonly feedbackFile: string;
  /** Output of the task's checks. */
  readonly checkLog: string;
  /** Where the agent may declare that nothing is to be done. */
  readonly noopFile: string;
  /** Lines of JSON by which its agents tell what it cost. */
  readonly costFile: string;
  /** The same of the healer that looked at the failed attempt. */
  readonly healer: HelperPaths;
  /** The same of the resolver of the conflict it began with. */
  readonly resolver: HelperPaths;
}

/** The files of an agent that helps an attempt. */
export type HelperPaths = Pick<AttemptPaths, 'transcript' | 'promptFile' | 'feedbackFile'>;

/** The files of one run. */
export interface RunPaths {
  readonly dir: string;
  /** Segment `n` (from 1) of the journal. */
  readonly journal: (n: number) => string;
  readonly planFile: string;
  readonly blobsDir: string;
  readonly reportDir: string;
  readonly resultFile: string;
  /** Attempts are counted from 1. */
  readonly task: (task: TaskId) => {
    readonly dir: string;
    readonly attempt: (n: number) => AttemptPaths;
  };
}

/** Paths below `<root>/.parallel`. */
export function statePaths(root: string): StatePaths {
  const stateDir = join(root, '.parallel');
  return {
    stateDir,
    runsDir: join(stateDir, 'runs'),
    locksDir: join(stateDir, 'locks'),
    outDir: join(stateDir, 'out'),
    currentFile: join(stateDir, 'current'),
  };
}

/** Paths below `<root>/.parallel/runs/<run>`. */
export function runPaths(root: string, run: RunId): RunPaths {
  const dir = join(statePaths(root).runsDir, run);
  const reportDir = join(dir, 'report');
  return {
    dir,
    journal: (n) => join(dir, segmentName(n)),
    planFile: join(dir, 'plan.json'),
    blobsDir: join(dir, 'blobs'),
    reportDir,
    resultFile: join(reportDir, 'result.json'),
    task: (task) => {
      const taskDir = join(dir, 'tasks', task);
      return { dir: taskDir, attempt: (n) => attemptPaths(join(taskDir, `attempt-${n}`)) };
    },
  };
}

function attemptPaths(dir: string): AttemptPaths {
  return {
    dir,
    transcript: join(dir, 'transcript.log'),
    events: join(dir, 'events.jsonl'),
    promptFile: join(dir, 'prompt.md'),
    feedbackFile: join(dir, 'feedback.md'),
    checkLog: join(dir, 'checks.log'),
    noopFile: join(dir, 'noop.txt'),
    costFile: join(dir, 'cost.jsonl'),
    healer: helperPaths(dir, 'healer'),
    resolver: helperPaths(dir, 'resolver'),
  };
}

function helperPaths(dir: string, role: string): HelperPaths {
  return {
    transcript: join(dir, `${role}.log`),
    promptFile: join(dir, `${role}-prompt.md`),
    feedbackFile: join(dir, `${role}-feedback.md`),
  };
}

/** File name of a journal segment: `journal-000001.log`. */
export function segmentName(n: number): string {
  return `journal-${String(n).padStart(6, '0')}.log`;
}

/** Number of the segment with this file name, or `null` when it is no segment. */
export function parseSegmentName(name: string): number | null {
  const digits = /^journal-(\d{6,15})\.log$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Makes `<root>/.parallel` ready: private, and invisible to git. */
export async function ensureStateDir(fs: FileSystem, root: string): Promise<StatePaths> {
  const paths = statePaths(root);
  await ensureSelfIgnored(fs, paths.stateDir);
  return paths;
}

/**
 * Makes the folder `dir` (absolute) if need be and hides it from git by a `.gitignore` of its own, so
 * that no file of the user changes. A `.gitignore` that is there already is left alone.
 */
export async function ensureSelfIgnored(fs: FileSystem, dir: string): Promise<void> {
  await fs.makeDir(dir);
  const file = join(dir, '.gitignore');
  if (!(await fs.exists(file))) await fs.createExclusive(file, '*\n');
}

/**
 * Makes a folder below the state folder of `root`. Agents of this user can put a symbolic link in its
 * place, to have us write somewhere else: such a link is taken away.
 */
export async function makeStateDir(
  { fs, files }: { readonly fs: FileSystem; readonly files: FileTree },
  root: string,
  dir: string,
): Promise<void> {
  const { stateDir } = statePaths(root);
  let path = stateDir;
  for (const name of relative(stateDir, dir).split(sep)) {
    path = join(path, name);
    const kind = await files.kind(path);
    if (kind === null) break;
    if (kind !== 'folder') await fs.removeFile(path);
  }
  await fs.makeDir(dir);
}

/**
 * Starts the folder of a new run, writes its `plan.json` and makes it the current run. The id is
 * unique among all processes of the repository: whoever creates `plan.json` owns the name.
 */
export async function createRun(
  fs: FileSystem,
  clock: Clock,
  root: string,
  plan: Plan,
): Promise<RunId> {
  const stem = `PEXEC-${clock.now()}`;
  for (let n = 0; n <= MOST_RUNS_PER_MS; n++) {
    const run = parseRunId(n === 0 ? stem : `${stem}-${n}`);
    if (await joinRun(fs, root, run, plan)) return run;
  }
  throw new Error(`No free run id for ${stem}: the clock stands still.`);
}

/**
 * Makes the folder of a run whose id several processes agreed on; `true` for the one that made it.
 * The others find it ready, with the same plan.
 */
export async function joinRun(
  fs: FileSystem,
  root: string,
  run: RunId,
  plan: Plan,
): Promise<boolean> {
  const { currentFile } = await ensureStateDir(fs, root);
  const paths = runPaths(root, run);
  await fs.makeDir(paths.dir);
  const created = await fs.createExclusive(paths.planFile, `${JSON.stringify(plan, null, 2)}\n`);
  if (created) await fs.writeAtomic(currentFile, `${run}\n`);
  return created;
}

/** The run started last, or `null` when there is none or its folder has been cleaned away. */
export async function readCurrentRun(fs: FileSystem, root: string): Promise<RunId | null> {
  const name = (await fs.readText(statePaths(root).currentFile))?.trim() ?? '';
  return isRunId(name) && (await isRun(fs, root, name)) ? name : null;
}

/** All runs, newest first. A folder without a plan is a run whose creator died: it never began. */
export async function listRuns(fs: FileSystem, root: string): Promise<readonly RunId[]> {
  const runs: RunId[] = [];
  for (const name of await fs.list(statePaths(root).runsDir)) {
    if (isRunId(name) && (await isRun(fs, root, name))) runs.push(name);
  }
  return runs.sort(newestFirst);
}

/**
 * The plan a run was started with, or `null` when there is no such run. Throws `UserError` when the
 * file is damaged or was written by a later version.
 */
export async function loadRunPlan(fs: FileSystem, root: string, run: RunId): Promise<Plan | null> {
  const { planFile } = runPaths(root, run);
  const text = await fs.readText(planFile);
  if (text === null) return null;
  const plan = parseJson(text);
  if (isPlan(plan)) return plan;
  throw new UserError(
    'environment',
    `The stored plan of ${run} cannot be read: ${planFile} is damaged or of a later version.`,
    'Start a new run, or use the version of parallel-cli that started this one.',
  );
}

function isRun(fs: FileSystem, root: string, run: RunId): Promise<boolean> {
  return fs.exists(runPaths(root, run).planFile);
}

/** Structural check of the envelope only: we wrote the rest ourselves, in one step. */
function isPlan(value: unknown): value is Plan {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'version' in value && value.version === 1 && 'tasks' in value && Array.isArray(value.tasks)
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Order of runs for people: the one started last comes first. */
export function newestFirst(a: RunId, b: RunId): number {
  const [aMs, aNth] = runOrder(a);
  const [bMs, bNth] = runOrder(b);
  return bMs - aMs || bNth - aNth;
}

function runOrder(run: RunId): readonly [number, number] {
  const [, ms, nth] = run.split('-');
  return [Number(ms), Number(nth ?? 0)];
}

import type { ControlRequest } from '../model/control-request';
import type { EventOf, FrontDoor, RunEvent, RunMode, RunOutcome } from '../model/event';
import type { RunId } from '../model/ids';
import { parseSlotName, slotName } from '../model/ids';
import type { Plan } from '../model/task';
import { UserError } from '../model/user-error';
import { viewOf } from '../report/fold';
import type { RunView, TaskView } from '../report/run-view';
import { isTaskSettled } from '../report/run-view';
import { busyTasks } from '../report/status-json';
import { readResultFile } from '../store/result-file';
import { listText } from '../report/duration-text';
import { tellDiskRefusal } from './disk-refusal';
import type { Engine } from './engine';
import { appendFact } from './engine';
import type { Run } from './run';
import { continueRun } from './run';
import type { RunReader } from './run-reader';
import type { Toolbox } from './toolbox';

/** What became of a request. */
export interface Delivery {
  readonly runId: RunId;
  /** A process drives the run and will take the request. */
  readonly delivered: boolean;
  /** Nobody drives the run; it is written down, and the next `resume` applies it. */
  readonly kept: boolean;
  /** Why it was not delivered. */
  readonly reason: string | null;
}

export type ResumeResult =
  /** It goes on here. */
  | { readonly kind: 'resumed'; readonly run: Run }
  /** The process that drives it was told. */
  | { readonly kind: 'signalled'; readonly runId: RunId }
  | { readonly kind: 'nothing'; readonly reason: string };

/** Where requests are written. */
interface Place {
  readonly tools: Toolbox;
  readonly root: string;
}

/** Where runs are continued. */
export interface RunPlace extends Place {
  readonly engine: (plan: Plan) => Promise<Engine>;
}

const ASK_AGAIN =
  'Make room on it, then ask again. Until then the run decides nothing and starts nothing; to end it as it is, press Ctrl-C twice where it runs.';
/** Agents a run may have at once unless its plan allows more. */
const MOST_AGENTS = 25;

/**
 * Writes a request into the journal of a run. Rejects with `UserError` when there is no run, or when
 * it makes no sense there: the message tells what would.
 */
export async function sendRequest(
  place: Place,
  reader: RunReader | null,
  request: ControlRequest,
): Promise<Delivery> {
  if (reader === null)
    throw new UserError('usage', 'There is no run here.', 'Start one with parallel-cli run.');
  const { id: runId } = reader;
  const events = await reader.events();
  const { outcome, frontDoor } = standingOf(events);
  if (outcome !== null)
    return { runId, delivered: false, kept: false, reason: `${runId} has ended (${outcome})` };
  const view = viewOf(reader.plan, events);
  if (request.kind === 'kill') requireTarget(view, request.target);
  if (request.kind === 'agents') requireAgents(reader, frontDoor, request.maxAgents);
  const gone = !(await reader.ownerAlive());
  const kept = gone && isForLater(request);
  if (!gone || kept) await ask(place, runId, request);
  if (!gone) return { runId, delivered: true, kept, reason: null };
  const advice = kept ? 'parallel-cli resume applies it' : 'parallel-cli resume continues it';
  return { runId, delivered: false, kept, reason: `the process of ${runId} is gone; ${advice}` };
}

/** Tells a live paused run to go on, or continues here one whose process is gone or was stopped. */
export async function resumeRun(place: RunPlace, reader: RunReader | null): Promise<ResumeResult> {
  if (reader === null) return { kind: 'nothing', reason: 'there is no run yet' };
  const events = await reader.events();
  const { outcome, mode, retries, frontDoor } = standingOf(events);
  if (outcome === null && (await reader.ownerAlive())) {
    if (mode !== 'paused') return { kind: 'nothing', reason: `${reader.id} is running` };
    await ask(place, reader.id, { kind: 'resume' });
    return { kind: 'signalled', runId: reader.id };
  }
  const over = frontDoor === 'nx' || (await isConcluded(place, reader.id, events));
  if (outcome === 'completed' && over)
    return { kind: 'nothing', reason: `${reader.id} is complete` };
  if (outcome === 'failed' && !retries && over) {
    const reason = `${reader.id} has ended with failures; parallel-cli retry --all tries them again`;
    return { kind: 'nothing', reason };
  }
  return { kind: 'resumed', run: await continueHere(place, reader) };
}

/**
 * Has tasks that did not land tried again. The request is in the journal before anything happens, so
 * that it is not lost when this process is.
 */
export async function retryTasks(
  place: RunPlace,
  reader: RunReader | null,
  target: string,
): Promise<ResumeResult> {
  if (reader === null)
    throw new UserError('usage', 'There is no run here.', 'Start one with parallel-cli run.');
  const events = await reader.events();
  const { outcome, frontDoor } = standingOf(events);
  if (frontDoor === 'nx') {
    const message = `${reader.id} was started by Nx, which alone decides what runs.`;
    throw new UserError(
      'usage',
      message,
      'Run the same nx command again; what landed is not redone.',
    );
  }
  const open = unlanded(viewOf(reader.plan, events));
  if (target === 'all' && open.length === 0)
    return { kind: 'nothing', reason: `every task of ${reader.id} landed or is under way` };
  requireUnlanded(reader, open, target);
  await ask(place, reader.id, { kind: 'retry', target });
  if (outcome === null && (await reader.ownerAlive()))
    return { kind: 'signalled', runId: reader.id };
  return { kind: 'resumed', run: await continueHere(place, reader) };
}

/** Writes down that a conflict was settled: from here on the candidate lands, whatever becomes of this process. */
export async function noteResolution(
  place: RunPlace,
  reader: RunReader,
  { task, attempt, candidate }: Omit<EventOf<'task:resolved'>, 'type' | 'at' | 'by'>,
): Promise<void> {
  const { tools, root } = place;
  const by = `parallel-cli (pid ${tools.processes.self().pid})`;
  const at = tools.clock.now();
  await tellDiskRefusal('The resolution was not taken', ASK_AGAIN, () =>
    appendFact(tools, root, reader.id, { type: 'task:resolved', task, attempt, candidate, by, at }),
  );
}

/** Has what was settled land: in the process that drives the run, or here. */
export async function landResolution(place: RunPlace, reader: RunReader): Promise<ResumeResult> {
  const { outcome } = standingOf(await reader.events());
  if (outcome === null && (await reader.ownerAlive()))
    return { kind: 'signalled', runId: reader.id };
  return { kind: 'resumed', run: await continueHere(place, reader) };
}

/**
 * `true` when the process that ended the run came to the end of its own work: the target has what landed,
 * no worktree is left, and last of all the result of this very end was written.
 */
async function isConcluded(
  { tools, root }: Place,
  run: RunId,
  events: readonly RunEvent[],
): Promise<boolean> {
  const ended = events.findLast(({ type }) => type === 'run:finished');
  const result = await readResultFile(tools.fs, root, run).catch(() => null);
  const told = result?.parallel_execution.timing.completed_at ?? null;
  return told !== null && Date.parse(told) === ended?.at;
}

/** How a run stands by its journal alone. */
interface Standing {
  readonly outcome: RunOutcome | null;
  readonly mode: RunMode;
  readonly frontDoor: FrontDoor | null;
  /** Since it ended, somebody asked for a retry, or settled a conflict, and that was not begun. */
  readonly retries: boolean;
}

function standingOf(events: readonly RunEvent[]): Standing {
  let standing: Standing = { outcome: null, mode: 'running', frontDoor: null, retries: false };
  for (const event of events) {
    if (event.type === 'run:started') standing = { ...standing, frontDoor: event.frontDoor };
    if (event.type === 'run:started' || event.type === 'run:resumed')
      standing = { ...standing, outcome: null, mode: 'running', retries: false };
    if (event.type === 'run:finished') standing = { ...standing, outcome: event.outcome };
    if (event.type === 'run:mode') standing = { ...standing, mode: event.mode };
    if (event.type === 'control:requested' && event.request.kind === 'retry')
      standing = { ...standing, retries: standing.outcome !== null };
    // Also one that the run did not see any more before it ended.
    if (event.type === 'task:resolved') standing = { ...standing, retries: true };
    if (event.type === 'task:merging') standing = { ...standing, retries: false };
  }
  return standing;
}

async function ask(place: Place, run: RunId, request: ControlRequest): Promise<void> {
  const { processes, clock } = place.tools;
  const by = `parallel-cli (pid ${processes.self().pid})`;
  await tellDiskRefusal('Nothing was asked of the run', ASK_AGAIN, () =>
    appendFact(place.tools, place.root, run, {
      type: 'control:requested',
      request,
      by,
      at: clock.now(),
    }),
  );
}

async function continueHere(place: RunPlace, { id, plan }: RunReader): Promise<Run> {
  return continueRun(await place.engine(plan), id, plan);
}

/** What still makes sense when the run goes on later. */
function isForLater({ kind }: ControlRequest): boolean {
  return kind === 'agents' || kind === 'retry' || kind === 'kill';
}

function requireTarget(view: RunView, target: string): void {
  if (target === 'all') return;
  const running = busyTasks(view).map(({ slot, id }) => `${slotName(slot)} (${id})`);
  const fix = running.length === 0 ? 'No agent runs now.' : `Running now: ${listText(running)}.`;
  const slot = parseSlotName(target);
  if (slot !== null) {
    if (busyTasks(view).some((task) => task.slot === slot)) return;
    throw new UserError('usage', `${target} runs nothing.`, fix);
  }
  const task = [...view.tasks.values()].find(({ id }) => id === target);
  if (task === undefined) {
    const message = `No agent or task is called ${JSON.stringify(target)}.`;
    throw new UserError('usage', message, fix);
  }
  if (isTaskSettled(task)) throw new UserError('usage', `${target} is over: ${task.state}.`, fix);
}

function requireAgents(reader: RunReader, frontDoor: FrontDoor | null, count: number): void {
  if (frontDoor === 'nx') {
    const message = `${reader.id} was started by Nx, which alone decides how many run at once.`;
    throw new UserError('usage', message, 'Give --parallel to nx run-many.');
  }
  const { maxAgents, mostAgents } = reader.plan.settings;
  const most = mostAgents ?? Math.max(MOST_AGENTS, maxAgents);
  if (Number.isSafeInteger(count) && count >= 1 && count <= most) return;
  const more = most > MOST_AGENTS ? '' : '; more needs allow_more_agents: true in the plan it runs';
  throw new UserError(
    'usage',
    `A run has 1 to ${most} agents, not ${count}.`,
    `Give 1 to ${most}${more}.`,
  );
}

/** The tasks a retry is for. */
function unlanded(view: RunView): readonly TaskView[] {
  return [...view.tasks.values()].filter((task) => isTaskSettled(task) && task.state !== 'landed');
}

function requireUnlanded(reader: RunReader, open: readonly TaskView[], target: string): void {
  if (target === 'all' || open.some(({ id }) => id === target)) return;
  const names = open.map(({ id, state }) => `${id} (${state})`);
  const fix =
    names.length === 0 ? 'No task waits for a retry.' : `A retry is for: ${listText(names)}.`;
  const known = reader.plan.tasks.some(({ id }) => id === target);
  const message = known
    ? `${target} did not fail, so there is nothing to retry.`
    : `The run has no task ${JSON.stringify(target)}.`;
  throw new UserError('usage', message, fix);
}

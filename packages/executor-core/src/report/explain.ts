import { accessConflict } from '../graph/path-overlap';
import type { TaskId } from '../model/ids';
import { costText, isCostKnown } from '../model/cost';
import { CURES, failureClass } from '../model/failure';
import { slotName } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { storyLine } from './attempt-story';
import { countText, durationText, listText } from './duration-text';
import { problemOf } from './run-result';
import type { RunView, TaskView } from './run-view';
import { isTaskInProgress, needsPerson } from './run-view';

/**
 * Why a task is not running now, in one sentence for people: its dependency, the barrier before its
 * phase, who holds its leases, its backoff, a limit, or the lack of a slot. Says so when the task
 * runs or is settled, and when the plan has no such task.
 */
export function whyWaiting(plan: Plan, view: RunView, id: TaskId): string {
  const task = plan.tasks.find((candidate) => candidate.id === id);
  const seen = view.tasks.get(id);
  if (task === undefined || seen === undefined) return `The plan has no task ${id}.`;
  switch (seen.state) {
    case 'running':
    case 'verifying':
      return `${id} is ${seen.state}${seatOf(seen)} (attempt ${seen.attempt}).`;
    case 'queued':
      return `${id} is done and waits in the merge queue.`;
    case 'merging':
      return `${id} is being merged and verified.`;
    case 'landed':
      return `${id} has landed.${costSentence(seen)}${resolvedText(seen)}`;
    case 'failed':
    case 'blocked':
    case 'conflicted':
    case 'cancelled':
      return `${id} is ${seen.state}: ${problemOf(seen)}.`;
    case 'backoff':
      return `${id} waits ${backoffText(seen, view)} before attempt ${seen.attempt}: ${problemOf(seen)}.`;
    case 'leasing':
      return waitsForLease(seen);
    case 'pending':
      return whyPending(plan, view, task);
  }
}

function costSentence({ cost }: TaskView): string {
  return isCostKnown(cost) ? ` It cost ${costText(cost)}.` : '';
}

/** Reasons in the order in which they have to go away. */
function whyPending(plan: Plan, view: RunView, task: Task): string {
  return (
    waitsForDependency(view, task) ??
    waitsForBarrier(plan, view, task) ??
    waitsForRun(view, task) ??
    waitsForHolder(plan, view, task) ??
    waitsForLimit(plan, view, task) ??
    waitsForSlot(view, task) ??
    `${task.id} is ready and starts next.`
  );
}

/**
 * The story of a task that failed at least once, a line per failed attempt and one for how it stands:
 * what kind of failure, what failed, what the healer did, where the work is kept, what happens next.
 * Empty for a task that never failed or is not in the plan.
 */
export function failureStory(view: RunView, id: TaskId): readonly string[] {
  const seen = view.tasks.get(id);
  if (seen === undefined || seen.attempts.length === 0) return [];
  return [...seen.attempts.map(storyLine), standing(seen)];
}

function standing(seen: TaskView): string {
  const tries = countText(seen.attempts.length, 'failed attempt');
  if (seen.state === 'landed') return `landed with attempt ${seen.attempt} after ${tries}`;
  if (needsPerson(seen)) return `${seen.state} after ${tries}: ${nextStep(seen)}`;
  return `${seen.state} after ${tries}`;
}

/** What is done about the last failure, or the fact that its cure is used up. */
function nextStep({ failure, state, id }: TaskView): string {
  if (state === 'conflicted') return `the conflict waits for a person: parallel-cli resolve ${id}`;
  if (failure === null) return 'nothing more is tried';
  const { retry, cure } = CURES[failureClass(failure)];
  return retry === 'final' ? cure : 'the retries of the plan are used up';
}

function waitsForDependency(view: RunView, task: Task): string | null {
  const unmet = task.dependsOn.filter((id) => view.tasks.get(id)?.state !== 'landed');
  if (unmet.length === 0) return null;
  return `${task.id} waits for ${listText(unmet.map((id) => stateText(view, id)))}.`;
}

function waitsForBarrier(plan: Plan, view: RunView, task: Task): string | null {
  const phase = task.phase === null ? -1 : plan.phases.indexOf(task.phase);
  const earlier = plan.phases.slice(0, Math.max(0, phase));
  for (const name of earlier) {
    const left = plan.tasks.filter(
      (other) => other.phase === name && view.tasks.get(other.id)?.state !== 'landed',
    );
    if (left.length === 0) continue;
    const names = listText(left.map((other) => stateText(view, other.id)));
    return `${task.id} waits for barrier ${name}: ${countText(left.length, 'task')} to land, ${names}.`;
  }
  return null;
}

function waitsForRun(view: RunView, task: Task): string | null {
  if (view.mode === 'running') return null;
  return `${task.id} waits because the run is ${view.mode}; resume it to go on.`;
}

function waitsForHolder(plan: Plan, view: RunView, task: Task): string | null {
  const holders = plan.tasks.filter((other) => other.id !== task.id && isHolder(view, other));
  const resource = holders.find((other) => sharedResource(task, other) !== null);
  if (resource !== undefined) {
    const name = sharedResource(task, resource) ?? '';
    return `${task.id} waits for resource ${name}, held by ${stateText(view, resource.id)}.`;
  }
  if (plan.settings.conflictPolicy !== 'wait') return null;
  const holder = holders.find((other) => accessConflict(task.access, other.access));
  if (holder === undefined) return null;
  const why = task.writesDeclared
    ? ''
    : ' (it declares no writes, so it excludes every other task)';
  return `${task.id} waits for the lease of ${stateText(view, holder.id)}${why}.`;
}

function waitsForLimit(plan: Plan, view: RunView, task: Task): string | null {
  const working = plan.tasks.filter((other) => occupiesSlot(view, other));
  const { team, taskType } = plan.settings.limits;
  const profile = plan.agents.find((agent) => agent.name === task.profile);
  const limits: readonly (readonly [string, string | null, number | null, keyof Task])[] = [
    ['team', task.team, task.team === null ? null : (team[task.team] ?? null), 'team'],
    [
      'task type',
      task.taskType,
      task.taskType === null ? null : (taskType[task.taskType] ?? null),
      'taskType',
    ],
    ['profile', task.profile, profile?.maxParallel ?? null, 'profile'],
  ];
  for (const [kind, name, limit, key] of limits) {
    if (name === null || limit === null) continue;
    const used = working.filter((other) => other[key] === name).length;
    if (used >= limit) return `${task.id} waits for ${kind} ${name}: ${used} of ${limit} at work.`;
  }
  return null;
}

function waitsForSlot(view: RunView, task: Task): string | null {
  const { active, max_agents: most } = view.counts;
  return active >= most ? `${task.id} waits for a slot: ${active} of ${most} are busy.` : null;
}

function waitsForLease(seen: TaskView): string {
  if (seen.waitingFor.length === 0) return `${seen.id} is taking its leases.`;
  return `${seen.id} waits for leases held by ${listText(seen.waitingFor)}.`;
}

function backoffText(seen: TaskView, view: RunView): string {
  if (seen.retryAt === null) return '';
  return durationText(Math.max(0, seen.retryAt - (view.lastEventAt ?? seen.retryAt)));
}

function stateText(view: RunView, id: TaskId): string {
  const task = view.tasks.get(id);
  if (task === undefined) return id;
  return `${id} (${task.state}${seatOf(task)})`;
}

function seatOf(seen: TaskView): string {
  return seen.slot === null ? '' : ` on ${slotName(seen.slot)}`;
}

function isHolder(view: RunView, task: Task): boolean {
  const seen = view.tasks.get(task.id);
  return seen !== undefined && isTaskInProgress(seen);
}

function occupiesSlot(view: RunView, task: Task): boolean {
  return (view.tasks.get(task.id)?.slot ?? null) !== null;
}

function sharedResource(a: Task, b: Task): string | null {
  const shared = a.resources.find((resource) =>
    b.resources.some(
      (other) => other.id === resource.id && (other.exclusive || resource.exclusive),
    ),
  );
  return shared?.id ?? null;
}

/** How conflicts on the way of a landed task were settled: ` Settled: a.json (structural: …).` */
function resolvedText({ resolved }: TaskView): string {
  if (resolved.length === 0) return '';
  const how = resolved.map(({ path, rung, reason }) => `${path} (${rung}: ${reason})`);
  return ` Conflicts were settled in ${listText(how)}.`;
}

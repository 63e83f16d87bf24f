import type { ControlRequest } from '../model/control-request';
import type { Candidate, EventOf, RunEvent, RunEventType } from '../model/event';
import { describeFailure } from '../model/failure';
import type { TaskId } from '../model/ids';
import { slotName } from '../model/ids';
import { countText, durationText, listText } from './duration-text';
import { aheadText } from './fold-ahead';
import type { RunView, TaskView } from './run-view';
import { elapsedMs } from './run-view';

type Line<T extends RunEventType> = (event: EventOf<T>, view: () => RunView) => string | null;

/**
 * One plain line for people about a state change, or `null` for an event that needs none (or is of
 * a newer writer's making). `view` gives
 * the view *after* the event; few lines need it, and making it costs O(tasks). A task's line is `<state>  <task>  (<details>)`; no colour, no glyph.
 */
export function describeEvent(event: RunEvent, view: () => RunView): string | null {
  const line = LINES[event.type] as Line<RunEventType> | undefined;
  return line === undefined ? null : line(event, view);
}

const LINES: { readonly [T in RunEventType]: Line<T> } = {
  'run:started': (event) =>
    `run ${event.run} started: ${countText(event.tasks, 'task')}, at most ${countText(event.maxAgents, 'agent')}, from ${event.base.slice(0, 10)}`,
  'run:joined': () => null,
  'run:resumed': () => 'run continued',
  'control:requested': (event) => `${requestText(event.request)} requested by ${event.by}`,
  'task:leasing': () => null,
  'task:leased': () => null,
  'task:waiting': (event) => taskLine('waiting', event.task, [`for ${listText(event.holders)}`]),
  'task:withdrawn': (event) => taskLine('put back', event.task, []),
  'task:started': (event) =>
    taskLine('started', event.task, [
      slotName(event.slot),
      event.profile,
      attemptText(event),
      event.resumedFrom === undefined ? '' : `goes on from ${event.resumedFrom.slice(0, 10)}`,
    ]),
  'process:started': () => null,
  'task:progress': () => null,
  'task:verifying': (event) => taskLine('verifying', event.task, []),
  'task:queued': (event) => taskLine('queued', event.task, [changeText(event.candidate)]),
  'task:merging': () => null,
  'task:landed': (event, view) => taskLine('landed', event.task, landedDetails(event.task, view())),
  'task:cached': (event) => taskLine('cached', event.task, ['restored, no agent ran']),
  'task:resolved': (event) => taskLine('resolved', event.task, [`by ${event.by}`]),
  'attempt:failed': () => null,
  'timer:due': () => null,
  'task:overdue': (event) => taskLine('overdue', event.task, []),
  'run:overdue': () => 'the deadline of the run has passed',
  'task:widened': (event) =>
    taskLine('widened', event.task, [`may also write ${listText(event.writes)}`]),
  'task:cost': () => null,
  'check:flaked': (event) =>
    taskLine('flaky', event.task, [
      `${describeFailure(event.failure)}; of the same tree it then passed`,
    ]),
  'conflict:ahead': ({ tasks, paths }) =>
    paths.length === 0
      ? `clear  ${tasks.join(' and ')}  (the conflict that was ahead is gone)`
      : `ahead  ${aheadText({ tasks, paths })}`,
  'task:healing': ({ task, healer, conflict }) =>
    conflict === undefined
      ? taskLine('healing', task, [healer])
      : taskLine('resolving', task, [healer, listText(conflict)]),
  'task:healed': (event) =>
    taskLine('healed', event.task, [event.outcome, event.note.trim().split('\n').at(-1) ?? '']),
  'task:checkpointed': () => null,
  'checkpoint:failed': (event) =>
    taskLine('no checkpoint', event.task, [event.message.split('\n')[0] ?? '']),
  'barrier:waiting': () => null,
  'barrier:left': () => null,
  'target:advanced': (event) => `${shortRef(event.ref)} is now at ${event.commit.slice(0, 10)}`,
  'target:held': (event) => `${shortRef(event.ref)} was not moved: ${event.reason}`,
  'pull-request': (event) =>
    event.url === null
      ? `no pull request: ${event.reason ?? ''}`
      : `pull request for ${event.branch}: ${event.url}`,
  'disk:refused': (event) => `run waits: ${event.reason}`,
  'disk:recovered': () => 'the disk takes files again: the run goes on',
  'task:retrying': (event) =>
    taskLine('retrying', event.task, [
      `attempt ${event.attempt} in ${durationText(Math.max(0, event.retryAt - event.at))}`,
      describeFailure(event.failure),
    ]),
  'task:failed': (event, view) =>
    taskLine('failed', event.task, [
      ...attemptsOf(view().tasks.get(event.task)),
      describeFailure(event.failure),
    ]),
  'task:blocked': (event) => taskLine('blocked', event.task, [`by ${event.by}`]),
  'task:conflicted': (event) =>
    taskLine('conflicted', event.task, [
      `waits for a person: ${listText(event.paths)}`,
      `parallel-cli resolve ${event.task}`,
    ]),
  'task:cancelled': (event) => taskLine('cancelled', event.task, [`by ${event.by}`]),
  'barrier:opened': (event) => `barrier ${event.barrier} opened`,
  'barrier:broken': (event) => `barrier ${event.barrier} can never open: ${event.reason}`,
  'task:stolen': (event) =>
    taskLine('stolen', event.task, [
      `${slotName(event.from)} to ${slotName(event.to)}`,
      event.reason,
    ]),
  'task:reopened': (event) => taskLine('reopened', event.task, [`by ${event.by}`]),
  'run:resized': (event) =>
    `at most ${countText(event.maxAgents, 'agent')} from now on, by ${event.by}`,
  'run:mode': (event) =>
    `run is ${event.mode}${event.suspended === true ? ' (suspended)' : ''}${event.reason === '' ? '' : `: ${event.reason}`}`,
  'run:finished': (event, view) => {
    const { counts, tasks } = view();
    return `run ${event.outcome}: ${counts.completed} of ${countText(tasks.size, 'task')} landed`;
  },
};

/** What was asked of a run, in words: `pause`, `kill agent-3`, `stop (drain)`. */
export function requestText(request: ControlRequest): string {
  switch (request.kind) {
    case 'pause':
      return request.suspend === true ? 'pause --suspend' : 'pause';
    case 'resume':
      return 'resume';
    case 'agents':
      return `agents ${request.maxAgents}`;
    case 'retry':
      return `retry ${request.target}`;
    case 'kill':
      return `kill ${request.target}`;
    case 'stop':
      return `stop (${request.how})`;
  }
}

function taskLine(state: string, task: TaskId, details: readonly string[]): string {
  const known = details.filter((detail) => detail !== '');
  return known.length === 0 ? `${state}  ${task}` : `${state}  ${task}  (${known.join(', ')})`;
}

function landedDetails(id: TaskId, view: RunView): readonly string[] {
  const task = view.tasks.get(id);
  if (task === undefined) return [];
  if (task.profile === null) return ['milestone'];
  const took = elapsedMs(task, view.lastEventAt ?? 0);
  return [
    task.cached ? 'from the cache' : `attempt ${task.attempt}`,
    mendedText(task.healing),
    took === null ? '' : durationText(took),
    filesText(task),
    task.resolved.length === 0 ? '' : `${countText(task.resolved.length, 'conflict')} settled`,
  ];
}

function mendedText(healing: TaskView['healing']): string {
  if (healing?.outcome !== 'fixed') return '';
  return `${healing.role === 'resolver' ? 'resolved' : 'mended'} by ${healing.healer}`;
}

function filesText(task: TaskView): string {
  if (task.candidate === null) return '';
  return changeText(task.candidate);
}

/** `3 files`, or `no change: <what the agent said>`. */
function changeText({ noop, noopReason, fileCount }: Candidate): string {
  if (!noop) return countText(fileCount, 'file');
  return noopReason === undefined ? 'no change' : `no change: ${noopReason.split('\n')[0] ?? ''}`;
}

function attemptsOf(task: TaskView | undefined): readonly string[] {
  return task === undefined || task.attempt === 0 ? [] : [`attempt ${task.attempt}`];
}

function attemptText(event: { readonly attempt: number }): string {
  return event.attempt > 1 ? `attempt ${event.attempt}` : '';
}

function shortRef(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

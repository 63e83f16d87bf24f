import type { RunView, TaskView } from '@parallel-executor/core';
import { durationText, needsPerson, percentDone, problemOf } from '@parallel-executor/core';
import type { Cell } from './cells';
import { cell } from './cells';
import { elideMiddle, padEnd, padStart, plainText } from './text-width';
import type { Theme } from './theme';
import { toneOf } from './theme';

const BAR_CELLS = 10;
const STATE_CELLS = 'verifying'.length;

/** Which columns a row of an agent has; narrower terminals drop the less important ones. */
export interface Columns {
  readonly profile: boolean;
  readonly bar: boolean;
  readonly elapsed: boolean;
  readonly note: boolean;
  readonly seatWidth: number;
  readonly taskWidth: number;
}

/** The columns for a terminal of `columns` cells, as wide as these tasks need them. */
export function columnsFor(columns: number, tasks: readonly TaskView[]): Columns {
  const profile = columns >= 60;
  const longest = (texts: readonly string[], least: number, most: number): number =>
    Math.min(most, Math.max(least, ...texts.map((text) => text.length)));
  const seats = tasks.map((task) => seatText(task, profile));
  return {
    profile,
    bar: columns >= 52,
    elapsed: columns >= 80,
    note: columns >= 100,
    seatWidth: longest(seats, 7, columns >= 80 ? 26 : columns >= 60 ? 20 : 8),
    taskWidth: longest(
      tasks.map((task) => task.id),
      4,
      columns >= 80 ? 24 : columns >= 60 ? 14 : 12,
    ),
  };
}

/** `Agent-1 [ui-super]  ████████░░  80%  landing_page  running  12 s  wiring routes` */
export function agentRow(
  view: RunView,
  task: TaskView,
  columns: Columns,
  theme: Theme,
  now: number,
): readonly Cell[] {
  const percent = percentDone(view, task, now);
  const { ellipsis } = theme.glyphs;
  const seat = elideMiddle(seatText(task, columns.profile), columns.seatWidth, ellipsis);
  const id = elideMiddle(task.id, columns.taskWidth, ellipsis);
  const elapsed = task.attemptStartedAt === null ? '' : durationText(now - task.attemptStartedAt);
  const bar = columns.bar ? [cell(' '), ...barCells(percent, theme)] : [];
  return [
    cell(padEnd(seat, columns.seatWidth)),
    ...bar,
    cell(` ${padStart(percent === null ? '?' : `${Math.floor(percent)}%`, 4)}`),
    cell(` ${padEnd(id, columns.taskWidth)}`, 'strong'),
    cell(
      ` ${columns.elapsed ? padEnd(stateText(task), STATE_CELLS) : stateText(task)}`,
      toneOf(task.state),
    ),
    ...(columns.elapsed ? [cell(` ${padStart(elapsed, 11)}`, 'dim')] : []),
    ...(columns.note && task.note !== '' ? [cell(`  ${plainText(task.note)}`, 'dim')] : []),
  ];
}

/** `! api_routes  failed  agent exited with code 3` for a task only a person can bring further. */
export function attentionRow(task: TaskView): readonly Cell[] {
  return [
    cell('! ', 'bad'),
    cell(task.id, 'strong'),
    cell(`  ${task.state}`, toneOf(task.state)),
    cell(`  ${plainText(problemOf(task))}`),
  ];
}

/** `Queue: a (merging), b (queued)`, the tasks between their slot and the branch; `null` for none. */
export function queueRow(tasks: readonly TaskView[]): readonly Cell[] | null {
  const queued = tasks.filter(isBetween);
  if (queued.length === 0) return null;
  const sorted = [...queued].sort((a, b) => a.state.localeCompare(b.state));
  return [
    cell('Merge queue: ', 'dim'),
    cell(sorted.map((task) => `${task.id} (${task.state})`).join(', ')),
  ];
}

function isBetween({ state, slot }: TaskView): boolean {
  return state === 'merging' || state === 'queued' || (state === 'verifying' && slot === null);
}

/** `Waiting: a (backoff), b (leasing)`: tasks that were started or tried, but are in no slot now. */
export function waitingRow(tasks: readonly TaskView[]): readonly Cell[] | null {
  const waiting = tasks.filter(
    (task) => task.state === 'backoff' || (task.state === 'leasing' && task.slot === null),
  );
  if (waiting.length === 0) return null;
  return [
    cell('Waiting: ', 'dim'),
    cell(waiting.map((task) => `${task.id} (${waitText(task)})`).join(', ')),
  ];
}

/** Tasks only a person can bring further, in the order in which they stopped. */
export function attentionTasks(tasks: readonly TaskView[]): readonly TaskView[] {
  return tasks.filter(needsPerson).sort((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0));
}

function waitText(task: TaskView): string {
  if (task.state === 'backoff') return `attempt ${task.attempt} after a pause`;
  return task.waitingFor.length === 0
    ? 'leasing'
    : `leasing, held by ${task.waitingFor.join(', ')}`;
}

function stateText(task: TaskView): string {
  return task.state === 'leasing' ? 'starting' : task.state;
}

function seatText(task: TaskView, profile: boolean): string {
  const seat = `Agent-${task.slot ?? '?'}`;
  return profile && task.profile !== null ? `${seat} [${task.profile}]` : seat;
}

function barCells(percent: number | null, theme: Theme): readonly Cell[] {
  const filled = Math.min(BAR_CELLS, Math.max(0, Math.round((percent ?? 0) / BAR_CELLS)));
  const full = percent !== null && percent < 100 ? Math.min(filled, BAR_CELLS - 1) : filled;
  const { full: done, empty } = theme.glyphs;
  return [cell(done.repeat(full), 'good'), cell(empty.repeat(BAR_CELLS - full), 'dim')];
}

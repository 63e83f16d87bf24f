import type { RunView, TaskView } from '@parallel-executor/core';
import { busyTasks, countText, etaMs, speedup } from '@parallel-executor/core';
import type { Capabilities } from './capabilities';
import type { Cell } from './cells';
import { cell, renderCells } from './cells';
import {
  agentRow,
  attentionRow,
  attentionTasks,
  columnsFor,
  queueRow,
  waitingRow,
} from './frame-rows';
import { padStart, plainText } from './text-width';
import type { Theme } from './theme';
import { themeOf } from './theme';

const TITLE = 'PARALLEL EXECUTOR STATUS';
const WIDEST = 120;
const NARROWEST = 24;
/** Three separators, two borders, the title and the footer. */
const FIXED_ROWS = 7;

/**
 * The status panel of a run at `now` (epoch ms), one string per line. Pure. Every line fits into
 * `caps.columns`, and there are never more than `caps.rows - 1` of them: a frame as tall as the
 * terminal would scroll it. Rows that do not fit become one that counts them.
 */
export function frame(view: RunView, caps: Capabilities, now: number): string[] {
  const theme = themeOf(caps);
  const width = Math.max(NARROWEST, Math.min(caps.columns, WIDEST));
  const inner = width - 4;
  const head = headRows(view, inner);
  const foot = footRow(view, inner, now, theme);
  const room = caps.rows - 1 - FIXED_ROWS - head.length;
  const body = bounded(bodyRows(view, caps, theme, now), room, theme);
  const { glyphs } = theme;
  const line = (left: string, right: string): string =>
    left + glyphs.horizontal.repeat(width - 2) + right;
  const rows = (cells: readonly (readonly Cell[])[]): string[] =>
    cells.map((row) => `${glyphs.vertical} ${renderCells(row, inner, theme)} ${glyphs.vertical}`);
  const separator = line(glyphs.teeLeft, glyphs.teeRight);
  const lines = [
    line(glyphs.topLeft, glyphs.topRight),
    ...rows([titleRow(inner)]),
    separator,
    ...rows(head),
    ...(body.length === 0 ? [] : [separator, ...rows(body)]),
    separator,
    ...rows([foot]),
    line(glyphs.bottomLeft, glyphs.bottomRight),
  ];
  return fitRows(lines, caps.rows);
}

/** A terminal too low for the panel shows its top. */
function fitRows(lines: readonly string[], rows: number): string[] {
  return lines.slice(0, Math.max(1, rows - 1));
}

function titleRow(inner: number): readonly Cell[] {
  const left = Math.max(0, Math.floor((inner - TITLE.length) / 2));
  return [cell(' '.repeat(left)), cell(TITLE, 'strong')];
}

function headRows(view: RunView, inner: number): readonly (readonly Cell[])[] {
  const { counts } = view;
  const label = (text: string): Cell => cell(text.padEnd(16), 'dim');
  const more = [
    counts.blocked > 0 ? `${counts.blocked} blocked` : '',
    counts.conflicted > 0 ? `${counts.conflicted} conflicted` : '',
  ].filter((text) => text !== '');
  const cached = counts.cached > 0 ? ` (${counts.cached} from the cache)` : '';
  const mode = modeRow(view, inner, label);
  return [
    [label('Active Agents:'), cell(`${counts.active}/${counts.max_agents}`)],
    [label('Completed:'), cell(countText(counts.completed, 'task') + cached)],
    [label('In Progress:'), cell(countText(counts.in_progress, 'task'))],
    [label('Pending:'), cell(countText(counts.pending, 'task'))],
    [
      label('Failed:'),
      cell(String(counts.failed), counts.failed > 0 ? 'bad' : 'plain'),
      cell(more.length === 0 ? '' : ` (${more.join(', ')})`, 'warn'),
    ],
    ...(mode === null ? [] : [mode]),
  ];
}

/** Only a run that does not simply run needs a word about it. */
function modeRow(
  view: RunView,
  inner: number,
  label: (text: string) => Cell,
): readonly Cell[] | null {
  if (view.outcome !== null) return [label('Run:'), cell(view.outcome, 'strong')];
  if (view.mode === 'running') return null;
  const reason = inner < 40 || view.modeReason === '' ? '' : `: ${plainText(view.modeReason)}`;
  return [
    label('Run:'),
    cell(view.suspended ? `${view.mode} (suspended)` : view.mode, 'warn'),
    cell(reason),
  ];
}

/** Needs you, then running, then what follows. */
function bodyRows(
  view: RunView,
  caps: Capabilities,
  theme: Theme,
  now: number,
): readonly (readonly Cell[])[] {
  const tasks: readonly TaskView[] = [...view.tasks.values()];
  const busy = busyTasks(view);
  const columns = columnsFor(caps.columns, busy);
  const held = view.targetHeld === null ? [] : [heldRow(view.targetHeld)];
  const after = [queueRow(tasks), waitingRow(tasks)].filter((row) => row !== null);
  return [
    ...held,
    ...attentionTasks(tasks).map(attentionRow),
    ...busy.map((task) => agentRow(view, task, columns, theme, now)),
    ...after,
  ];
}

function heldRow(reason: string): readonly Cell[] {
  return [cell('! ', 'bad'), cell(`not landed on the branch: ${plainText(reason)}`)];
}

function bounded(
  rows: readonly (readonly Cell[])[],
  room: number,
  theme: Theme,
): readonly (readonly Cell[])[] {
  if (rows.length <= room) return rows;
  if (room < 1) return [];
  const shown = Math.max(0, room - 1);
  return [
    ...rows.slice(0, shown),
    [cell(`${theme.glyphs.ellipsis} ${rows.length - shown} more`, 'dim')],
  ];
}

function footRow(view: RunView, inner: number, now: number, theme: Theme): readonly Cell[] {
  const eta = etaMs(view, now);
  const speed = speedup(view, now);
  const gap = inner < 44 ? ' ' : '  ';
  const separator = cell(`${gap}${theme.glyphs.vertical}${gap}`, 'dim');
  return [
    cell(`Phase: ${view.phase.index}/${view.phase.total}`),
    separator,
    cell(`ETA: ${eta === null ? 'unknown' : etaText(eta)}`),
    separator,
    cell(`Speed: ${speed === null ? '?' : `${speed.toFixed(1)}x`}`),
  ];
}

/** `45s`, `3m05s`, `2h07m`: short enough for the footer. */
export function etaText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const two = (value: number): string => padStart(String(value), 2).replace(' ', '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
}

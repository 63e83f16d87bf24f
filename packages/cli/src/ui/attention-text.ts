import type { Plan, RunView, TaskView } from '@parallel-executor/core';
import { aheadText, landingOf, problemOf, targetOf, whyWaiting } from '@parallel-executor/core';
import { INTERRUPTED, STOPPED_EARLY } from '../messages';
import type { Capabilities } from './capabilities';
import { attentionTasks } from './frame-rows';
import { landingText } from './landing-text';
import { plainText } from './text-width';
import { themeOf } from './theme';

/** At most this many waiting tasks are explained; a long queue explains itself by its head. */
const MOST_WAITING = 5;
const MOST_AHEAD = 10;

/** Below the panel: what needs a person and the command that helps, then why the next tasks wait, or where the work is. */
export function attentionText(
  plan: Plan,
  view: RunView,
  ownerAlive: boolean,
  caps: Pick<Capabilities, 'color' | 'unicode'>,
): readonly string[] {
  const theme = themeOf(caps);
  const needy = attentionTasks([...view.tasks.values()]);
  const held =
    view.targetHeld === null ? [] : [`  branch not moved: ${plainText(view.targetHeld)}`];
  const needs = [...needy.map(needLine), ...held];
  return [
    ...(ownerAlive ? [] : [theme.paint('warn', INTERRUPTED)]),
    ...(needs.length === 0 ? [] : [theme.paint('bad', 'Needs attention:'), ...needs]),
    ...(view.outcome === null && ownerAlive ? aheadLines(view) : []),
    ...(view.outcome === null && ownerAlive ? waitingLines(plan, view) : []),
    ...(view.outcome !== null && view.landed.length > 0
      ? landingText(landingOf(plan, view), { ...targetOf(view), held: null }, theme)
      : []),
    ...(view.outcome === 'stopped' && view.counts.pending > 0 ? [STOPPED_EARLY] : []),
  ];
}

function needLine(task: TaskView): string {
  const how =
    task.state === 'conflicted'
      ? `Settle it: parallel-cli resolve ${task.id}`
      : `See: parallel-cli logs ${task.id}`;
  return `  ${task.id} (${task.state}): ${plainText(problemOf(task))}. ${how}`;
}

/** Early enough to act: stop one of the two, or tell it what the other does. */
function aheadLines({ conflictsAhead }: RunView): readonly string[] {
  if (conflictsAhead.length === 0) return [];
  const shown = conflictsAhead.slice(0, MOST_AHEAD);
  const left = conflictsAhead.length - shown.length;
  return [
    'Conflicts ahead, unless these agents change course:',
    ...shown.map((conflict) => `  ahead: ${plainText(aheadText(conflict))}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}

function waitingLines(plan: Plan, view: RunView): readonly string[] {
  const waiting = [...view.tasks.values()].filter((task) =>
    ['pending', 'leasing', 'backoff'].includes(task.state),
  );
  if (waiting.length === 0) return [];
  const shown = waiting.slice(0, MOST_WAITING);
  const left = waiting.length - shown.length;
  return [
    'Waiting:',
    ...shown.map((task) => `  ${plainText(whyWaiting(plan, view, task.id))}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}

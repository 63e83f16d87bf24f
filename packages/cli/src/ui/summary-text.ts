import type { RunResult, RunView, TaskView } from '@parallel-executor/core';
import {
  costText,
  countText,
  durationText,
  failureLog,
  isCostKnown,
  storyLine,
} from '@parallel-executor/core';
import type { Capabilities } from './capabilities';
import { landingText } from './landing-text';
import { plainLines, plainText } from './text-width';
import type { Theme } from './theme';
import { themeOf } from './theme';

/** Of a failure's output, this much is replayed; the rest is in the log. */
const TAIL_LINES = 20;

/** What a person reads when a run is over: outcome, each failure once, where to look further. */
export function summaryText(
  result: RunResult,
  view: RunView,
  reportPath: string,
  caps: Capabilities,
): readonly string[] {
  const theme = themeOf(caps);
  return [
    ...result.failures.flatMap((failure) => failureLines(failure, view, theme)),
    outcomeLine(result, view, theme),
    ...landingText(result.landing, result.target, theme),
    ...criticalPathLine(result),
    ...costLine(result),
    `Report: ${reportPath}`,
    ...nextLines(result, view),
  ];
}

function failureLines(
  failure: RunResult['failures'][number],
  view: RunView,
  theme: Theme,
): readonly string[] {
  const task = [...view.tasks.values()].find((candidate) => candidate.id === failure.task);
  const word = task?.state ?? 'failed';
  const blocked = task === undefined ? 0 : countBlockedBy(view, task);
  const because = blocked === 0 ? '' : `; ${countText(blocked, 'task')} blocked by it`;
  return [
    `${theme.paint('bad', word)}  ${failure.task}  (attempt ${failure.attempt}): ${plainText(failure.message)}${because}`,
    ...tailOf(task).map((line) => theme.paint('dim', `  ${theme.glyphs.vertical} ${line}`)),
    ...(failure.log === null ? [] : [`  log: ${failure.log}`]),
    ...(task?.attempts ?? []).map((story) => `  ${plainText(storyLine(story))}`),
    '',
  ];
}

function tailOf(task: TaskView | undefined): readonly string[] {
  if (task === undefined || task.failure === null) return [];
  const lines = plainLines(failureLog(task.failure));
  while (lines.at(-1) === '') (lines as string[]).pop();
  return lines.slice(-TAIL_LINES);
}

/** Directly or through other blocked tasks. */
function countBlockedBy(view: RunView, root: TaskView): number {
  const cause = (task: TaskView): TaskView => {
    let at = task;
    for (let step = 0; at.blockedBy !== null && step < view.tasks.size; step += 1) {
      at = view.tasks.get(at.blockedBy) ?? at;
    }
    return at;
  };
  return [...view.tasks.values()].filter(
    (task) => task.state === 'blocked' && cause(task).id === root.id,
  ).length;
}

function outcomeLine(result: RunResult, view: RunView, theme: Theme): string {
  const { timing, tasks, id } = result.parallel_execution;
  const { completed, cached, failed, blocked, conflicted } = view.counts;
  const unfinished = tasks.total - completed - failed - blocked - conflicted;
  const parts = [
    `landed ${completed} of ${tasks.total}${cached > 0 ? ` (${cached} from the cache)` : ''}`,
    failed > 0 ? `failed ${failed}` : '',
    blocked > 0 ? `blocked ${blocked}` : '',
    conflicted > 0 ? `conflicted ${conflicted}` : '',
    unfinished > 0 ? `not done ${unfinished}` : '',
  ].filter((part) => part !== '');
  const tone = completed === tasks.total ? 'good' : failed + conflicted > 0 ? 'bad' : 'warn';
  const speed = timing.speedup_factor > 1 ? `, ${timing.speedup_factor}x` : '';
  return `${theme.paint(tone, parts.join(', '))}  in ${durationText(timing.total_duration_ms)}${speed}  (${id})`;
}

function criticalPathLine(result: RunResult): readonly string[] {
  const path = result.critical_path;
  return path.length < 2 ? [] : [`Critical path: ${path.join(' > ')}`];
}

function costLine({ cost }: RunResult): readonly string[] {
  return isCostKnown(cost) ? [`Cost: ${costText(cost)}, as far as the agents told`] : [];
}

function nextLines(result: RunResult, view: RunView): readonly string[] {
  const first = result.failures[0];
  const unfinished = [...view.tasks.values()].some((task) =>
    ['pending', 'cancelled', 'backoff', 'running', 'leasing'].includes(task.state),
  );
  return [
    ...(first === undefined ? [] : [`More: parallel-cli logs ${first.task}`]),
    ...(unfinished ? ['Continue with: parallel-cli resume'] : []),
  ];
}

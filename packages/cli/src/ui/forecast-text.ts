import { countText, durationText } from '@parallel-executor/core';
import type { Forecast } from '../forecast';
import type { Capabilities } from './capabilities';
import { elideEnd } from './text-width';
import { themeOf } from './theme';

const MOST_CONFLICTS = 20;
const MOST_FORECAST = 10;

/** The forecast for people: levels, groups, conflicts and how they are scheduled, numbers, warnings. */
export function forecastText(forecast: Forecast, caps: Capabilities): readonly string[] {
  const theme = themeOf(caps);
  const title = (text: string): string => theme.paint('strong', text);
  const sections = [
    [title(summary(forecast))],
    [title('Levels (a level starts when what it depends on has landed)'), ...levels(forecast)],
    [title('Parallel groups'), ...groups(forecast)],
    [title('Conflicts'), ...conflicts(forecast)],
    coming(forecast, title),
    barriers(forecast, title),
    numbers(forecast),
    defaultSetup(forecast),
    forecast.warnings.map((warning) => theme.paint('warn', `warning: ${warning}`)),
  ].filter((section) => section.length > 0);
  const { ellipsis } = theme.glyphs;
  const lines = sections.flatMap((section, index) => (index === 0 ? section : ['', ...section]));
  return caps.tty && !caps.color
    ? lines.map((line) => elideEnd(line, caps.columns, ellipsis))
    : lines;
}

function summary(forecast: Forecast): string {
  const phases =
    forecast.phases.length === 0 ? '' : `, ${countText(forecast.phases.length, 'phase')}`;
  const source = forecast.file ?? 'plan';
  return `${source}: ${countText(forecast.tasks.length, 'task')}${phases}, at most ${countText(forecast.max_agents, 'agent')}`;
}

function levels(forecast: Forecast): readonly string[] {
  return forecast.levels.map((level, index) => `  ${index + 1}. ${level.join(', ')}`);
}

function groups(forecast: Forecast): readonly string[] {
  return forecast.groups.map(
    (group, index) =>
      `  ${index + 1}. ${group.tasks.join(', ')}${group.tasks.length > 1 ? `  (up to ${group.estimated_speedup}x)` : ''}`,
  );
}

function conflicts(forecast: Forecast): readonly string[] {
  if (forecast.conflicts.length === 0) return ['  none'];
  const shown = forecast.conflicts
    .slice(0, MOST_CONFLICTS)
    .map(({ a, b, why, scheduled }) => `  ${a} and ${b}  (${why}): ${scheduled}`);
  const left = forecast.conflicts.length - shown.length;
  if (left === 0 && !forecast.more_conflicts) return shown;
  return [...shown, `  and ${left}${forecast.more_conflicts ? ' or more' : ''} others`];
}

/** The likeliest conflicts, why, and the lines that would keep the two apart. */
function coming(
  { conflict_forecast: pairs }: Forecast,
  title: (text: string) => string,
): readonly string[] {
  if (pairs.length === 0) return [];
  const shown = pairs.slice(0, MOST_FORECAST);
  const left = pairs.length - shown.length;
  return [
    title("Conflict forecast (0 to 1: how likely two tasks get into each other's way)"),
    ...shown.flatMap(({ tasks, score, reasons, offer }) => [
      `  ${score.toFixed(2)}  ${tasks.join(' and ')}: ${reasons.map(({ detail }) => detail).join('; ')}`,
      ...offerLines(offer),
    ]),
    ...(left > 0 ? [`  and ${left} less likely; all of them: --json`] : []),
  ];
}

function offerLines(offer: Forecast['conflict_forecast'][number]['offer']): readonly string[] {
  const indented = (yaml: string): readonly string[] =>
    yaml.split('\n').map((line) => `          ${line}`);
  switch (offer.kind) {
    case 'none':
      return [`        ${offer.why}`];
    case 'depends_on':
      return [`        to have ${offer.on} land first, write:`, ...indented(offer.yaml)];
    case 'lock':
      return ['        to have them run one after the other, add:', ...indented(offer.yaml)];
  }
}

function barriers(forecast: Forecast, title: (text: string) => string): readonly string[] {
  if (forecast.barriers === null || forecast.barriers.length === 0) return [];
  return [
    title('Barriers (what comes after one waits for all before it)'),
    ...forecast.barriers.map(({ after, cost }) => {
      const price = cost > 0 ? `costs ${amountText(cost, forecast.unit)}` : 'costs nothing';
      return `  after ${after}: ${price}`;
    }),
  ];
}

/** `3 min 05 s`, or `2 tasks` where durations are unknown. */
export function amountText(amount: number, unit: Forecast['unit']): string {
  return unit === 'ms' ? durationText(amount) : countText(Math.round(amount * 100) / 100, 'task');
}

/** Nobody wrote it, so it is said. */
function defaultSetup({ setup }: Forecast): readonly string[] {
  if (!setup.by_default || setup.link.length === 0) return [];
  return [
    `Worktrees get links to what is installed in ${setup.link.join(', ')} (setup: {} turns it off)`,
  ];
}

function numbers(forecast: Forecast): readonly string[] {
  const { work, span, expected, unit } = forecast;
  const [w, s] = expected === null ? [work, span] : [expected.work_ms, expected.span_ms];
  const basis =
    expected === null
      ? 'durations unknown: every task counted as equally long'
      : `done in about ${durationText(expected.makespan_ms)}`;
  return [
    `Work W = ${amountText(w, unit)}, span S = ${amountText(s, unit)}, W/S = ${forecast.parallelism}`,
    `Critical path: ${forecast.critical_path.join(' > ') || 'none'}`,
    `Estimated speed-up: ${forecast.estimated_speedup}x (${basis})`,
  ];
}

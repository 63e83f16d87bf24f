import { countText } from '@parallel-executor/core';
import type { SimulatedRun, Simulation } from '../simulation';
import type { Capabilities } from './capabilities';
import { amountText } from './forecast-text';
import { padStart } from './text-width';
import { themeOf } from './theme';

/** The simulation for people: one line for each number of agents, then the best. */
export function simulationText(simulation: Simulation, caps: Capabilities): readonly string[] {
  const theme = themeOf(caps);
  const { unit, runs, best } = simulation;
  const rows = [
    ['agents', 'makespan', 'speed-up', 'utilisation', 'busy at once', 'x bound'],
    ...runs.map((run) => rowOf(run, unit)),
  ];
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row.map((text, at) => padStart(text, widths[at] ?? 0)).join('   '),
  );
  return [
    theme.paint('strong', summary(simulation)),
    '',
    ...lines.map((line) => `  ${line}`),
    '',
    `Work W = ${amountText(simulation.work, unit)}, span S = ${amountText(simulation.span, unit)}, W/S = ${simulation.parallelism}`,
    `Critical path: ${simulation.critical_path.join(' > ') || 'none'}`,
    ...(best === null
      ? []
      : [
          `Best: ${countText(best.agents, 'agent')} (${amountText(best.makespan, unit)}, ${best.speedup}x), the fewest within 2% of the shortest run`,
        ]),
  ];
}

function summary({ file, tasks, samples, unit }: Simulation): string {
  const basis =
    unit === 'ms'
      ? `durations learned from ${countText(samples, 'attempt')}`
      : 'durations unknown: counted in tasks';
  return `${file ?? 'plan'}: ${countText(tasks, 'task')}, ${basis}`;
}

function rowOf(run: SimulatedRun, unit: Simulation['unit']): readonly string[] {
  const ratio = run.lower_bound > 0 ? run.makespan / run.lower_bound : 1;
  return [
    String(run.agents),
    amountText(run.makespan, unit),
    `${run.speedup.toFixed(2)}x`,
    `${Math.round(run.utilisation * 100)}%`,
    String(run.peak),
    ratio.toFixed(3),
  ];
}

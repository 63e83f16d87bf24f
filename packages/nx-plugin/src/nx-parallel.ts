import { availableParallelism } from 'node:os';
import type { Plan } from '@parallel-executor/core';

/** How many tasks Nx runs at once in this command, for the processes it forks. */
export const PARALLEL_VARIABLE = 'PARALLEL_NX_PARALLEL';

type Environment = Readonly<Record<string, string | undefined>>;

/** What Nx takes when nobody says anything. */
const NX_DEFAULT = 3;
const ON = new Set(['', 'true']);

/**
 * How many tasks Nx runs at once: `--parallel` of the command (also as `--parallel 7`, a per cent of the
 * cores, or bare beside `--maxParallel`), else `NX_PARALLEL`, else `parallel` of nx.json, else 3. The
 * order is that of Nx 23 and 24.
 */
export function nxParallel(
  argv: readonly string[],
  env: Environment,
  nxJson: { readonly parallel?: number | string | undefined },
): number {
  const said = argv.includes('--no-parallel') ? 'false' : optionOf(argv, ['parallel']);
  if (said === 'false') return 1;
  if (said !== null && !ON.has(said)) return count(said);
  if (said !== null || isSet(env['NX_PARALLEL'])) {
    const most = optionOf(argv, ['maxParallel', 'max-parallel']) ?? env['NX_PARALLEL'];
    return isSet(most) ? count(most) : NX_DEFAULT;
  }
  return nxJson.parallel === undefined ? NX_DEFAULT : count(String(nxJson.parallel));
}

/** The same, as the hook told it; `undefined` in a process no hook ran before. */
export function toldParallel(env: Environment): number | undefined {
  const told = env[PARALLEL_VARIABLE];
  return isSet(told) ? count(told) : undefined;
}

/** Whether the command asks for all agents of a project, not for one: `-t agent`, `p:agent`, `agent p`. */
export function asksForAgents(argv: readonly string[]): boolean {
  return argv.some((word) => /(?:^|[=,:])agent(?:$|[,:])/.test(word));
}

/** What keeps the plan from being as parallel as it says; `null` when nothing does. */
export function parallelWarning(plan: Plan, parallel: number): string | null {
  const tasks = plan.tasks.filter(({ profile }) => profile !== null);
  const wanted = Math.min(plan.settings.maxAgents, tasks.length);
  if (wanted <= parallel) return null;
  const sizes = plan.phases.map((phase) => tasks.filter((task) => task.phase === phase).length);
  const widest = Math.max(0, ...sizes);
  const barrier =
    widest > parallel
      ? ` An agent that waits at a barrier keeps its place: a phase of ${widest} tasks waits for itself.`
      : '';
  return (
    `Nx runs ${parallel} tasks at once here, the plan allows ${plan.settings.maxAgents} agents.${barrier} ` +
    `Pass --parallel=${wanted}.`
  );
}

/** The last value of an option; empty when it stands alone, `null` when it is not there. */
function optionOf(argv: readonly string[], names: readonly string[]): string | null {
  let found: string | null = null;
  for (const [at, word] of argv.entries()) {
    if (word === '--') break;
    const [, name = '', value] = /^--([A-Za-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    if (!names.includes(name)) continue;
    const next = argv[at + 1] ?? '';
    found = value ?? (/^(?:\d+%?|true|false)$/.test(next) ? next : '');
  }
  return found;
}

function count(text: string): number {
  const number = Number.parseInt(text, 10);
  const places = text.endsWith('%') ? (availableParallelism() * number) / 100 : number;
  return Number.isFinite(places) ? Math.max(1, Math.floor(places)) : NX_DEFAULT;
}

function isSet(text: string | null | undefined): text is string {
  return text !== null && text !== undefined && text !== '';
}

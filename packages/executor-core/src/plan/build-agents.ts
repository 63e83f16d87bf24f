import type { AgentProfile } from '../model/task';
import { checkEnvName, checkName } from './check-names';
import type { CheckedFile } from './check-schema';
import { childOf, entriesOf, type Located } from './located';
import type { PlanFileAgent, PlanFileExecutor } from './plan-schema';
import type { Report } from './report';

/** Name of the profile that `healer: { command: … }` adds. */
export const HEALER = 'healer';

/**
 * The agent profiles of a plan, in file order, then those from elsewhere (`extra`) whose names the plan
 * does not define, and the one of a healer given as a command. An agent without `adapter` and with a `command` is a command.
 */
export function buildAgents(
  { file, root, isLeftOut }: CheckedFile,
  report: Report,
  extra: readonly AgentProfile[],
): readonly AgentProfile[] {
  const own = entriesOf(childOf(root, 'agents')).map(([name, entry]) => {
    checkName(report, 'agent name', name, entry.key);
    const given = file.agents?.[name] ?? {};
    const isPartial = ['adapter', 'command'].some((key) => isLeftOut('agents', name, key));
    if (!isPartial) checkAdapter(name, given, entry.key, report);
    return buildProfile(name, given, entry.value, report);
  });
  own.push(...buildHealer(file.parallel_executor?.healer, root, report));
  const names = new Set(own.map((profile) => profile.name));
  return [...own, ...extra.filter((profile) => !names.has(profile.name))];
}

function buildHealer(
  given: PlanFileExecutor['healer'],
  root: Located,
  report: Report,
): readonly AgentProfile[] {
  if (typeof given !== 'object') return [];
  const node = childOf(childOf(root, 'parallel_executor'), 'healer');
  if (childOf(childOf(root, 'agents'), HEALER) !== null) {
    report.error(
      'duplicate-agent',
      node?.span ?? null,
      `healer gives a command, and "agents:" defines an agent called "${HEALER}" too.`,
      `Write healer: ${HEALER} to use that agent, or rename it.`,
    );
  }
  return [
    {
      name: HEALER,
      adapter: 'command',
      command: given.command,
      model: null,
      instructions: null,
      maxParallel: null,
      noop: 'accept',
      resume: 'fresh',
      env: {},
    },
  ];
}

function buildProfile(
  name: string,
  given: PlanFileAgent,
  node: Located,
  report: Report,
): AgentProfile {
  return {
    name,
    adapter: given.adapter ?? 'command',
    command: given.command ?? null,
    model: given.model ?? null,
    instructions: given.instructions ?? null,
    maxParallel: given.max_parallel ?? null,
    noop: given.noop ?? null,
    resume: given.resume ?? 'fresh',
    ...(given.sandbox === undefined ? {} : { sandbox: given.sandbox }),
    env: buildEnv(childOf(node, 'env'), report),
  };
}

function checkAdapter(
  name: string,
  given: PlanFileAgent,
  span: Located['span'],
  report: Report,
): void {
  if (given.adapter !== undefined) checkName(report, 'adapter name', given.adapter, span);
  if (given.command !== undefined || (given.adapter ?? 'command') !== 'command') return;
  report.error(
    'no-command',
    span,
    given.adapter === undefined
      ? `Agent "${name}" has neither an adapter nor a command.`
      : `Agent "${name}" uses the adapter "command" and gives no command.`,
    'Add a line such as command: "node tools/codemod.mjs", or an adapter such as claude.',
  );
}

const NONE: Readonly<Record<string, string>> = {};

/** Environment variables as text; numbers keep the form in which they were written (`1.10`). */
export function buildEnv(node: Located | null, report: Report): Readonly<Record<string, string>> {
  if (node === null) return NONE;
  const pairs = entriesOf(node).flatMap(([name, { key, value }]) => {
    const text = value.kind === 'scalar' ? value.text : '';
    if (!checkEnvName(report, name, key)) return [];
    if (text.includes('\0')) {
      report.error('bad-env', value.span, `The value of ${name} holds a NUL character.`);
      return [];
    }
    return [[name, text] as const];
  });
  return Object.fromEntries(pairs);
}

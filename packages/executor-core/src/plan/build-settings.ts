import type {
  ConflictPolicy,
  ConflictRules,
  RetryPolicy,
  Settings,
  WorktreeSetup,
} from '../model/task';
import { parseIdentity } from '../model/identity';
import { HEALER } from './build-agents';
import { checkName } from './check-names';
import type { CheckedFile } from './check-schema';
import { parseDuration } from './duration';
import { pathProblem } from './glob-problem';
import { childOf, entriesOf, itemsOf, type Located } from './located';
import { checkMergeOptions } from './merge-options';
import {
  CONFLICT_CHOICES,
  MAX_AGENTS,
  MAX_AGENTS_ALLOWED,
  type PlanFile,
  type PlanFileExecutor,
} from './plan-schema';
import type { Report } from './report';

const DEFAULT_BASE = '.worktrees/';

/** The settings of a plan, defaults filled in; every value that makes no sense is reported. */
export function buildSettings(
  { file, root }: CheckedFile,
  report: Report,
  maxAgents: number | undefined,
): Settings {
  const given = file.parallel_executor ?? {};
  const node = childOf(root, 'parallel_executor');
  const ms = (key: DurationKey, fallback: number): number =>
    durationAt(report, childOf(node, key), given[key], fallback, 1);
  checkMergeOptions(childOf(node, 'merge_options'), report);
  const worktreeBase = checkBase(given.worktree_base, childOf(node, 'worktree_base'), report);
  return {
    maxAgents: checkMaxAgents(given, childOf(node, 'max_agents'), report, maxAgents),
    ...(given.allow_more_agents === true ? { mostAgents: MAX_AGENTS_ALLOWED } : {}),
    worktreeBase,
    ...(given.worktrees === undefined ? {} : { worktrees: given.worktrees }),
    lockTimeoutMs: ms('lock_timeout', 30_000),
    barrierTimeoutMs: ms('barrier_timeout', 120_000),
    retry: buildRetry(given.retry_policy ?? {}, childOf(node, 'retry_policy'), report),
    mergeStrategy: given.merge_strategy ?? 'recursive',
    ...(given.merge_options === undefined ? {} : { mergeOptions: given.merge_options }),
    checkpoint: buildCheckpoint(given, childOf(node, 'checkpoint_interval'), report),
    failureStrategy: given.failure_strategy ?? 'continue_on_failure',
    timeoutMs: ms('timeout', 3_600_000),
    deadlineMs:
      given.deadline === undefined
        ? null
        : durationAt(report, childOf(node, 'deadline'), given.deadline, 1, 1),
    healer: healerName(given.healer),
    land: given.land ?? 'target',
    ...(given.pull_requests === undefined ? {} : { pullRequests: given.pull_requests }),
    ...(given.commits === undefined ? {} : { commits: given.commits }),
    ...buildCommit(given.commit, childOf(node, 'commit'), report),
    setup: buildSetup(given.setup, childOf(node, 'setup'), worktreeBase, report),
    ...buildChecks(given),
    budget: { usd: given.budget?.usd ?? null, tokens: given.budget?.tokens ?? null },
    ...buildForecast(given.forecast, childOf(node, 'forecast'), report),
    conflictPolicy: buildPolicy(file, childOf(root, 'locks'), report),
    ...(given.conflicts === undefined ? {} : { conflicts: buildConflicts(given.conflicts) }),
    ...(given.secrets === undefined ? {} : { secrets: given.secrets }),
    ...(given.sandbox === undefined ? {} : { sandbox: given.sandbox }),
    limits: {
      team: buildLimits(file.resource_strategies?.team_based),
      taskType: buildLimits(file.resource_strategies?.task_type_based),
    },
  };
}

/** How the merge queue checks what lands. */
function buildChecks(
  given: PlanFileExecutor,
): Pick<Settings, 'verify' | 'verifyByDefault' | 'verifySlots' | 'verifyEach' | 'lanes'> {
  return {
    verify: given.verify ?? [],
    ...(given.verify === undefined ? { verifyByDefault: true as const } : {}),
    ...(given.verify_slots === undefined ? {} : { verifySlots: given.verify_slots }),
    ...(given.verify_each === undefined ? {} : { verifyEach: given.verify_each }),
    ...(given.lanes === undefined ? {} : { lanes: given.lanes }),
  };
}

function healerName(given: PlanFileExecutor['healer']): string | null {
  return typeof given === 'object' ? HEALER : (given ?? null);
}

type DurationKey = 'lock_timeout' | 'barrier_timeout' | 'timeout';

/** Milliseconds of a duration of the plan; `fallback` when it is absent or was reported. */
export function durationAt(
  report: Report,
  node: Located | null,
  text: string | undefined,
  fallback: number,
  least = 0,
): number {
  if (text === undefined) return fallback;
  const ms = parseDuration(text);
  if (ms !== null && ms >= least) return ms;
  report.error(
    'bad-duration',
    node?.span ?? null,
    ms === null ? `${text} is longer than 24 days.` : `${text} leaves no time.`,
    ms === null ? 'Use at most 576h.' : 'Use at least 1ms.',
  );
  return fallback;
}

/** Why `count` agents are too many or too few, for the plan's key and for `--agents` alike. */
function agentsProblem(subject: string, count: number, allowMore: boolean): string | null {
  const most = allowMore ? MAX_AGENTS_ALLOWED : MAX_AGENTS;
  if (Number.isInteger(count) && count >= 1 && count <= most) return null;
  const hint = allowMore ? '' : `; more than ${MAX_AGENTS} needs allow_more_agents: true`;
  return `${subject} must be a whole number from 1 to ${most}${hint}, found ${count}.`;
}

function checkMaxAgents(
  given: PlanFileExecutor,
  node: Located | null,
  report: Report,
  override: number | undefined,
): number {
  const allowMore = given.allow_more_agents === true;
  const own = given.max_agents ?? MAX_AGENTS;
  const fix = allowMore
    ? `Use 1 to ${MAX_AGENTS_ALLOWED}.`
    : `Use 1 to ${MAX_AGENTS}, or set allow_more_agents: true (then up to ${MAX_AGENTS_ALLOWED}).`;
  const ownProblem = agentsProblem('max_agents', own, allowMore);
  if (ownProblem !== null) report.error('max-agents', node?.span ?? null, ownProblem, fix);
  if (override === undefined) return ownProblem === null ? own : MAX_AGENTS;
  const problem = agentsProblem('--agents', override, allowMore);
  if (problem === null) return override;
  report.flagError('max-agents', '--agents', problem, fix);
  return MAX_AGENTS;
}

function checkBase(base: string | undefined, node: Located | null, report: Report): string {
  if (base === undefined) return DEFAULT_BASE;
  const folder = base.replace(/\/+$/, '');
  const problem = /[*?[\]{}]/.test(base)
    ? { code: 'bad-glob', problem: 'it is a folder and may hold no glob characters', fix: null }
    : folder.split('/').every((name) => name === '' || name === '.')
      ? { code: 'bad-glob', problem: 'it must be a folder below the repository root', fix: null }
      : pathProblem(folder, '');
  if (problem === null) return base;
  const shown = JSON.stringify(base);
  report.error(
    problem.code,
    node?.span ?? null,
    `worktree_base ${shown}: ${problem.problem}.`,
    problem.fix,
  );
  return DEFAULT_BASE;
}

function buildRetry(
  given: NonNullable<PlanFileExecutor['retry_policy']>,
  node: Located | null,
  report: Report,
): RetryPolicy {
  const baseMs = durationAt(report, childOf(node, 'base_delay'), given.base_delay, 1000);
  const longest = Math.max(60_000, baseMs);
  const maxMs = durationAt(report, childOf(node, 'max_delay'), given.max_delay, longest);
  if (maxMs < baseMs) {
    const span = childOf(node, 'max_delay')?.span ?? null;
    report.error('out-of-range', span, 'max_delay is shorter than base_delay.', 'Swap the two.');
  }
  return {
    maxRetries: given.max_retries ?? 3,
    backoff: given.backoff ?? 'exponential',
    baseMs,
    maxMs,
  };
}

function buildCheckpoint(
  given: PlanFileExecutor,
  node: Located | null,
  report: Report,
): Settings['checkpoint'] {
  const interval = given.checkpoint_interval ?? 'phase';
  if (interval === 'phase' || interval === 'task') return interval;
  return durationAt(report, node, interval, 60_000, 1);
}

function buildForecast(
  given: PlanFileExecutor['forecast'],
  node: Located | null,
  report: Report,
): Pick<Settings, 'forecast'> {
  if (given === undefined) return {};
  return { forecast: given === 'off' ? given : durationAt(report, node, given, 30_000, 1) };
}

/** Key by key in the plan, whole or absent in the settings. */
function buildCommit(
  given: PlanFileExecutor['commit'],
  node: Located | null,
  report: Report,
): Pick<Settings, 'commit'> {
  if (given === undefined) return {};
  const { author = 'user', sign = 'auto' } = given;
  if (author !== 'user' && author !== 'agent' && parseIdentity(author) === null) {
    report.error(
      'bad-value',
      childOf(node, 'author')?.span ?? null,
      `commit.author: ${JSON.stringify(author)} names nobody.`,
      'Write user, agent, or "Name <mail>".',
    );
  }
  return { commit: { author, sign } };
}

function buildSetup(
  given: PlanFileExecutor['setup'],
  node: Located | null,
  worktreeBase: string,
  report: Report,
): WorktreeSetup {
  if (given === undefined) return { copy: [], link: [], run: [], byDefault: true };
  for (const key of ['copy', 'reflink', 'hardlink', 'link', 'sparse'] as const) {
    for (const item of itemsOf(childOf(node, key))) {
      const path = item.kind === 'scalar' ? item.text : '';
      const problem = pathProblem(path, worktreeBase);
      if (problem === null) continue;
      const message = `${JSON.stringify(path)} cannot be set up: ${problem.problem}.`;
      report.error(problem.code, item.span, message, problem.fix);
    }
  }
  const { copy = [], reflink = [], hardlink, link = [], run = [], sparse, ports } = given;
  return {
    // A copy shares the bytes where the file system can: there is nothing else to do.
    copy: [...copy, ...reflink],
    link,
    run,
    ...(hardlink === undefined ? {} : { hardlink }),
    ...(sparse === undefined ? {} : { sparse }),
    ...(ports === undefined ? {} : { ports }),
  };
}

/** The sample of the specification lists the choices (`a | b | c`): the first one counts. */
function buildPolicy(file: PlanFile, locks: Located | null, report: Report): ConflictPolicy {
  const given = file.locks?.conflict_resolution;
  if (given === undefined) return 'wait';
  const [first = '', ...others] = given.split('|').map((choice) => choice.trim());
  const policy = CONFLICT_CHOICES.find((choice) => choice === first) ?? 'wait';
  if (others.length > 0) {
    report.warning(
      'conflict-choices',
      childOf(locks, 'conflict_resolution')?.span ?? null,
      `conflict_resolution lists several choices; ${policy}, the first, is used.`,
      `Write conflict_resolution: ${policy}.`,
    );
  }
  return policy;
}

function buildConflicts(given: NonNullable<PlanFileExecutor['conflicts']>): ConflictRules {
  return {
    rerere: given.rerere !== 'off',
    structural: given.structural ?? true,
    entity: given.entity !== 'off',
    ...(given.union === undefined ? {} : { union: given.union }),
    ...(given.resolver === undefined ? {} : { resolver: given.resolver }),
    ...(given.attempts === undefined ? {} : { attempts: given.attempts }),
  };
}

function buildLimits(
  given: Readonly<Record<string, { readonly max_parallel: number }>> | null | undefined,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(given ?? {}).map(([name, limit]) => [name, limit.max_parallel]),
  );
}

/** Reports names of limits that no team, task type or resource can have. */
export function checkLimitNames({ root }: CheckedFile, report: Report): void {
  const strategies = childOf(root, 'resource_strategies');
  for (const [key, what] of [
    ['team_based', 'team'],
    ['task_type_based', 'task type'],
    ['resources', 'resource'],
  ] as const) {
    for (const [name, entry] of entriesOf(childOf(strategies, key))) {
      checkName(report, what, name, entry.key);
    }
  }
}

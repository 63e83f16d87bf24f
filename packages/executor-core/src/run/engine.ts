import { inspectRepository, lookAgain } from '../isolate/repository';
import type { Repository } from '../isolate/repository';
import type { LeaseStore } from '../locks/lease-store';
import { createLeaseStore } from '../locks/lease-store';
import type { Fact } from '../model/event';
import type { RunId } from '../model/ids';
import { redactEvent } from '../model/redact-event';
import type { Redactor } from '../model/redactor';
import { createRedactor } from '../model/redactor';
import { secretValues } from '../model/secret-values';
import type { AgentProfile, Plan } from '../model/task';
import { profilesInUse } from '../model/task';
import { UserError } from '../model/user-error';
import type { AgentAdapter } from '../ports/agent';
import type { Disk } from '../ports/disk';
import type { Journal } from '../ports/journal';
import { openJournal, writerName } from '../store/journal';
import type { StatePaths } from '../store/run-dir';
import { ensureStateDir, runPaths, statePaths } from '../store/run-dir';
import type { Toolbox } from './toolbox';

/** A checkout with its state folder and its lease table, ready to run plans. */
export interface Engine {
  readonly tools: Toolbox;
  readonly repository: Repository;
  readonly state: StatePaths;
  readonly leases: LeaseStore;
  /** Of what everybody may read; knows the secrets of this process and of the plan. */
  readonly redactor: Redactor;
  /** What git's configuration says here (`config --list --includes --show-scope -z`), asked when first wanted. */
  readonly gitConfig: () => Promise<string>;
}

const LIST_CONFIG = ['config', '--list', '--includes', '--show-scope', '-z'];

/**
 * Opens the checkout around `cwd`, or the one that is `known` already. Rejects with `UserError` when it
 * cannot be used.
 */
export async function openEngine(
  tools: Toolbox,
  cwd: string,
  leaseMs: number,
  known: Repository | null = null,
): Promise<Engine> {
  const redactor = createRedactor(secretValues(tools.env));
  const repository =
    known === null ? await inspectRepository(tools.git, cwd) : await lookAgain(tools.git, known);
  refuseNetworkDisk(tools.disk, repository.root);
  await ensureStateDir(tools.fs, repository.root);
  const state = statePaths(repository.root);
  const leases = createLeaseStore({ ...tools, locksDir: state.locksDir, ttlMs: leaseMs });
  let listed: Promise<string> | null = null;
  const gitConfig = () => (listed ??= tools.git.text(LIST_CONFIG, { cwd: repository.root }));
  return { tools, repository, state, leases, redactor, gitConfig };
}

/**
 * Several machines, or several caches of one, would share the journal and the leases: appends of two
 * writers may overwrite each other, a lock may be held twice, and a process of the other machine looks
 * dead here.
 */
function refuseNetworkDisk(disk: Disk, root: string): void {
  const name = disk.networkName(root);
  if (name === null) return;
  throw new UserError(
    'environment',
    `${root} is on a network file system (${name}), which cannot keep the journal and the leases: two processes that append at once may overwrite each other there, and locks may be held twice.`,
    'Put the repository on a local disk, e.g. clone it there. Nothing was changed.',
  );
}

/** The adapter of a profile; the plan was checked by `checkAdapters`. */
export function adapterOf(tools: Toolbox, profile: AgentProfile): AgentAdapter {
  const adapter = tools.adapters.find(({ name }) => name === profile.adapter);
  if (adapter === undefined) throw new Error(`Internal error: no adapter ${profile.adapter}.`);
  return adapter;
}

/** Throws `UserError` naming every used profile that cannot run here. */
export function checkAdapters(tools: Toolbox, plan: Plan): void {
  const { healer, conflicts } = plan.settings;
  const used = profilesInUse(plan);
  for (const [role, name] of Object.entries({ healer, resolver: conflicts?.resolver })) {
    if (name == null || plan.agents.some((profile) => profile.name === name)) continue;
    throw new UserError('usage', `The ${role} ${name} is no agent profile of the plan.`, null);
  }
  const problems = plan.agents
    .filter((profile) => used.has(profile.name))
    .flatMap((profile) => {
      const adapter = tools.adapters.find(({ name }) => name === profile.adapter);
      const problem =
        adapter === undefined
          ? `agent profile ${profile.name} needs the adapter "${profile.adapter}", which this version does not have`
          : adapter.check(profile);
      return problem === null ? [] : [problem];
    });
  if (problems.length === 0) return;
  const known = tools.adapters.map(({ name }) => name).join(', ');
  throw new UserError('usage', `${problems.join('; ')}.`, `Adapters of this version: ${known}.`);
}

/** The engine with a redactor that knows the secrets of a plan's tasks and profiles, too. */
export function withSecretsOf(engine: Engine, plan: Plan): Engine {
  const { env } = engine.tools;
  const own = [...plan.agents, ...plan.tasks].flatMap((part) =>
    secretValues(part.env, plan.settings.secrets),
  );
  const values = [...secretValues(env, plan.settings.secrets), ...own];
  values.sort((a, b) => b.length - a.length);
  return { ...engine, redactor: createRedactor([...new Set(values)]) };
}

/**
 * Opens the journal of a run of the checkout `root` for writing; no secret gets into it. `onSegment` is
 * told the name of each segment that it goes on in.
 */
export async function openRunJournal(
  { fs, clock, processes, env }: Pick<Toolbox, 'fs' | 'clock' | 'processes' | 'env'>,
  root: string,
  run: RunId,
  redactor: Redactor = createRedactor(secretValues(env)),
  onSegment?: (segment: string) => void,
): Promise<Journal> {
  const writer = writerName(processes.self().pid);
  const { dir } = runPaths(root, run);
  const journal = await openJournal({ fs, clock, dir, writer, onSegment });
  const append: Journal['append'] = (events) =>
    journal.append(events.map((event) => redactEvent(event, redactor)));
  return { ...journal, append };
}

/** Appends one fact to the journal of a run, from a process that takes no part in it. */
export async function appendFact(
  tools: Toolbox,
  root: string,
  run: RunId,
  fact: Fact,
): Promise<void> {
  const journal = await openRunJournal(tools, root, run);
  try {
    await journal.append([fact]);
  } finally {
    await journal.close();
  }
}

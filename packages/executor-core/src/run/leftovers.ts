import { basename, dirname, join, resolve } from 'node:path';
import { readAdminEntries } from '../isolate/admin-entry';
import { branchHold } from '../isolate/branch-safety';
import type { LeftWorktree } from '../isolate/leftover-worktrees';
import { findTrash, findWorktrees } from '../isolate/leftover-worktrees';
import type { Repository } from '../isolate/repository';
import type { KeptRef } from '../merge/kept-refs';
import { isContained, reachableFrom, readBranches, readKeptRefs } from '../merge/kept-refs';
import { landedCandidates } from '../merge/landed';
import type { RunId } from '../model/ids';
import type { Leftover, Leftovers, LeftRun } from '../report/clean-plan';
import { newestFirst, statePaths } from '../store/run-dir';
import type { RunRecord } from './left-runs';
import { readRunRecords } from './left-runs';
import type { Toolbox } from './toolbox';

/** What is there, and what is needed to act on it. */
export interface FoundLeftovers extends Leftovers {
  /** Folders that were read, by run. */
  readonly records: ReadonlyMap<RunId, RunRecord>;
  /** Our worktrees, by path. */
  readonly worktrees: ReadonlyMap<string, LeftWorktree>;
  /** Tips of the branches that are not ours: what is in their history has landed. */
  readonly tips: readonly string[];
  /** Folders of worktrees that were looked into, absolute. */
  readonly bases: readonly string[];
}

/** Where a plan has its worktrees unless it says otherwise. */
const DEFAULT_BASE = '.worktrees';
const HEADS = 'refs/heads/';

/**
 * Looks for everything that runs left in this repository. Reads only, takes no lock, and works while others
 * write; decide on it only while no run of the checkout is alive.
 */
export async function findLeftovers(
  tools: Toolbox,
  repository: Repository,
): Promise<FoundLeftovers> {
  const { root, commonDir } = repository;
  const { git, fs, files } = tools;
  const records = await readRunRecords(tools, root);
  const bases = await realBases(tools, root, records);
  const worktrees = await findWorktrees({ fs, files, commonDir }, bases);
  const refs = await readKeptRefs(git, root);
  const heads = await readBranches(git, root);
  const makers = branchMakers(records, worktrees);
  const ours = heads.filter(({ ref }) => makers.has(ref.slice(HEADS.length)));
  const tips = [...new Set(heads.filter((head) => !ours.includes(head)).map((it) => it.commit))];
  const landed = await landedRefs(tools, repository, { refs, records, tips });
  const there = new Set(refs.map(({ ref }) => ref));
  const runs = await allRuns(tools, repository, records, { refs, worktrees });
  const items: Leftover[] = [
    ...worktrees.map(worktreeItem),
    ...refs.map((ref): Leftover => ({ kind: 'ref', ...ref, landed: landed.has(ref.ref) })),
  ];
  for (const { ref, commit } of ours) {
    const branch = ref.slice(HEADS.length);
    const run = makers.get(branch);
    if (run === undefined) continue;
    const hold = await branchHold({ git, fs, root, commonDir }, branch, tips);
    items.push({ kind: 'branch', run, branch, commit, hold });
  }
  for (const { id: run, folder: path, bytes, changedAt } of records) {
    items.push({ kind: 'folder', run, path, bytes, changedAt });
  }
  const trash = [
    ...(await findTrash({ fs, files, commonDir }, bases)),
    ...(await oldFolders(tools, root)),
  ];
  items.push(...trash.map((path): Leftover => ({ kind: 'trash', run: null, path })));
  return {
    items,
    tips,
    bases,
    records: new Map(records.map((record) => [record.id, record])),
    worktrees: new Map(worktrees.map((worktree) => [worktree.path, worktree])),
    runs: runs.map((run) => onlyExisting(run, there)),
  };
}

/** Run folders that were removed wait here to be deleted. */
export function runTrash(root: string): string {
  return join(statePaths(root).stateDir, 'trash');
}

async function oldFolders({ fs }: Toolbox, root: string): Promise<readonly string[]> {
  return (await fs.list(runTrash(root))).map((name) => join(runTrash(root), name));
}

async function realBases(
  { files }: Toolbox,
  root: string,
  records: readonly RunRecord[],
): Promise<readonly string[]> {
  const named = [DEFAULT_BASE, ...records.flatMap(({ worktreeBase }) => worktreeBase ?? [])];
  const bases = [...new Set(named.map((base) => resolve(root, base)))];
  const real = await Promise.all(bases.map(async (base) => (await files.realPath(base)) ?? base));
  return [...new Set(real)];
}

function worktreeItem({ path, owner, entry, aside, reason }: LeftWorktree): Leftover {
  const run = owner?.run ?? null;
  const task = owner !== null && 'task' in owner ? owner.task : null;
  const resolving = owner?.kind === 'resolve' && !aside ? { resolving: true } : {};
  const known = entry?.broken === false;
  return { kind: 'worktree', run, path, task, aside, reason, known, ...resolving };
}

/** The run that had a branch last, by the branch's short name. */
function branchMakers(
  records: readonly RunRecord[],
  worktrees: readonly LeftWorktree[],
): ReadonlyMap<string, RunId> {
  const makers = new Map<string, RunId>();
  for (const { owner } of worktrees)
    if (owner?.kind === 'agent') makers.set(owner.branch, owner.run);
  // Newest first, so that the oldest is overwritten.
  for (const { id, branches } of [...records].reverse())
    for (const branch of branches) makers.set(branch, id);
  return makers;
}

interface Kept {
  readonly refs: readonly KeptRef[];
  readonly records: readonly RunRecord[];
  readonly tips: readonly string[];
}

/** Names of the refs whose work is proven to be in the history of a branch of the user. */
async function landedRefs(
  tools: Toolbox,
  { root, branch }: Repository,
  { refs, records, tips }: Kept,
): Promise<ReadonlySet<string>> {
  const landings = new Map<string, string>();
  const known = new Map(records.map((record) => [record.id, record]));
  for (const run of new Set(refs.filter(({ role }) => role === 'candidate').map((it) => it.run))) {
    const own = refs.find((ref) => ref.run === run && ref.role === 'integration');
    const record = known.get(run);
    // Without the run's own branch, the trailers on the branch it landed on tell.
    const chain = own?.ref ?? record?.target ?? branch;
    if (chain === null || (await tools.git.objects(root).resolve(chain)) === null) continue;
    const found = await landedCandidates(tools.git, root, chain, record?.base ?? undefined);
    for (const [candidate, landing] of found) landings.set(candidate, landing);
  }
  const commits = [...new Set([...refs.map(({ commit }) => commit), ...landings.values()])];
  const safe = await reachableFrom(tools.git, root, commits, tips);
  const landed = new Set<string>();
  for (const { ref, run, commit, role } of refs) {
    const target = known.get(run)?.target ?? branch;
    const proven =
      safe.has(commit) ||
      safe.has(landings.get(commit) ?? '') ||
      (role === 'salvage' && (await isInTarget(tools, root, commit, target, tips)));
    if (proven) landed.add(ref);
  }
  return landed;
}

/** Work that was saved on the way, and then landed as another commit. */
async function isInTarget(
  { git }: Toolbox,
  root: string,
  commit: string,
  target: string | null,
  tips: readonly string[],
): Promise<boolean> {
  const tip = target === null ? null : await git.objects(root).resolve(`${target}^{commit}`);
  return tip !== null && tips.includes(tip) && (await isContained(git, root, commit, tip));
}

/** Runs with a folder here, and those of which only something else is left. */
async function allRuns(
  tools: Toolbox,
  repository: Repository,
  records: readonly RunRecord[],
  {
    refs,
    worktrees,
  }: { readonly refs: readonly KeptRef[]; readonly worktrees: readonly LeftWorktree[] },
): Promise<readonly LeftRun[]> {
  const named = [
    ...refs.map(({ run }) => run),
    ...worktrees.flatMap(({ owner }) => owner?.run ?? []),
  ];
  const here = new Set(records.map(({ id }) => id));
  const others = [...new Set(named)].filter((run) => !here.has(run));
  const checkouts = others.length === 0 ? [] : await otherCheckouts(tools, repository);
  const strangers: LeftRun[] = [];
  for (const id of others) {
    const checkout = await holderOf(tools, checkouts, id);
    const standing = checkout === null ? 'gone' : 'elsewhere';
    strangers.push({ id, standing, checkout, current: false, landedTasks: [], quarantined: [] });
  }
  const all: readonly LeftRun[] = [...records, ...strangers];
  return [...all].sort((a, b) => newestFirst(a.id, b.id)).map(plain);
}

function plain({ id, standing, checkout, current, landedTasks, quarantined }: LeftRun): LeftRun {
  return { id, standing, checkout, current, landedTasks, quarantined };
}

function onlyExisting(run: LeftRun, there: ReadonlySet<string>): LeftRun {
  const quarantined = run.quarantined.map((task) => ({
    ...task,
    refs: task.refs.filter((ref) => there.has(ref)),
  }));
  return { ...run, quarantined };
}

async function holderOf(
  { fs }: Toolbox,
  checkouts: readonly string[],
  run: RunId,
): Promise<string | null> {
  for (const checkout of checkouts) {
    if (await fs.exists(join(statePaths(checkout).runsDir, run))) return checkout;
  }
  return null;
}

/** The repository's other checkouts, which have runs of their own. */
async function otherCheckouts(
  { fs }: Toolbox,
  { root, commonDir }: Repository,
): Promise<readonly string[]> {
  const main = basename(commonDir) === '.git' ? [dirname(commonDir)] : [];
  const entries = await readAdminEntries({ fs, commonDir });
  const linked = entries.flatMap(({ worktree, owner }) =>
    worktree === null || owner !== null ? [] : [worktree],
  );
  return [...main, ...linked].filter((path) => path !== root);
}

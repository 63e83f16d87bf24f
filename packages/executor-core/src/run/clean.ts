import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { LeftWorktree } from '../isolate/leftover-worktrees';
import { findTrash } from '../isolate/leftover-worktrees';
import { deleteBranch } from '../isolate/branch-safety';
import type { Repository } from '../isolate/repository';
import { dropBrokenEntries } from '../isolate/worktree-sweep';
import type { Release } from '../isolate/worktree-safety';
import { releaseKept, releaseWorktree } from '../isolate/worktree-safety';
import { createWorktreePool } from '../isolate/worktree-pool';
import { deleteRefs } from '../merge/kept-refs';
import type { RunId } from '../model/ids';
import { parseRunId } from '../model/ids';
import { UserError } from '../model/user-error';
import type { CleanChoice, CleanVerdict, Leftover, LeftRun } from '../report/clean-plan';
import { leftoverKey, planClean } from '../report/clean-plan';
import { claimWorkspace, raiseClaim } from './claim';
import { openEngine } from './engine';
import type { FoundLeftovers } from './leftovers';
import { findLeftovers, runTrash } from './leftovers';
import type { Toolbox } from './toolbox';

/** What runs left behind and what would become of it. */
export interface CleanReport {
  readonly runs: readonly LeftRun[];
  readonly verdicts: readonly CleanVerdict[];
}

/** What was done. */
export interface CleanResult extends CleanReport {
  /** `saved`: ref that now keeps what was only there. */
  readonly removed: readonly { readonly item: Leftover; readonly saved: string | null }[];
  /** What was to go and is still there, and why. */
  readonly failed: readonly { readonly item: Leftover; readonly why: string }[];
  /** Processes of a given-up run that were still at work and have been ended. */
  readonly ended: number;
}

interface Place {
  readonly tools: Toolbox;
  readonly repository: Repository;
}

/** How long a lease on the checkout is kept without a sign of life. */
const LEASE_MS = 30_000;

/** Shows what is left of runs and what a clean with this choice would remove. Changes nothing. */
export async function reportLeftovers(
  { tools, repository }: Place,
  choice: CleanChoice,
): Promise<CleanReport> {
  const found = await findLeftovers(tools, repository);
  return { runs: found.runs, verdicts: planClean(found, choice) };
}

/**
 * Removes what the choice covers and is of no use, while no run of the checkout is alive. `onPlan` gets what
 * goes before anything does. Done again it changes nothing. Rejects with `UserError('busy')` while a run
 * is driven here, and with `UserError('usage')` for a run of another checkout.
 */
export async function cleanUp(
  place: Place,
  choice: CleanChoice,
  onPlan: (report: CleanReport) => void,
): Promise<CleanResult> {
  const first = await reportLeftovers(place, choice);
  requireHere(first.runs, choice.run);
  if (first.verdicts.length === 0) {
    onPlan(first);
    return { ...first, removed: [], failed: [], ended: 0 };
  }
  const { tools, repository } = place;
  const engine = await openEngine(tools, repository.root, LEASE_MS, repository);
  try {
    const name = parseRunId(`PEXEC-${tools.clock.now()}`);
    const claim = await raiseClaim(engine, await claimWorkspace(engine, name, 'cli'), name, 'cli');
    try {
      const result = await new Cleaner(place, choice).clean(onPlan);
      await claim.removeFence();
      return result;
    } finally {
      await claim.release();
    }
  } finally {
    await engine.leases.close();
  }
}

function requireHere(runs: readonly LeftRun[], named: RunId | undefined): void {
  const run = runs.find(({ id }) => id === named);
  if (run?.standing === 'elsewhere') {
    const where = run.checkout ?? 'another checkout';
    throw new UserError('usage', `${run.id} belongs to ${where}.`, 'Clean it there.');
  }
  if (run?.standing === 'running') {
    const message = `${run.id} is driven by a living process.`;
    throw new UserError('busy', message, 'End it with parallel-cli kill --all.');
  }
}

/** One clean, under the lease on the checkout. */
class Cleaner {
  private readonly removed: { item: Leftover; saved: string | null }[] = [];
  private readonly failed: { item: Leftover; why: string }[] = [];

  constructor(
    private readonly place: Place,
    private readonly choice: CleanChoice,
  ) {}

  async clean(onPlan: (report: CleanReport) => void): Promise<CleanResult> {
    const { tools, repository } = this.place;
    const found = await findLeftovers(tools, repository);
    requireHere(found.runs, this.choice.run);
    const verdicts = planClean(found, this.choice);
    const report = { runs: found.runs, verdicts };
    onPlan(report);
    const ended = this.endAgents(found);
    await this.releaseWorktrees(found, verdicts);
    // What was saved on the way has not been shown to anybody, so it stays.
    const now = await findLeftovers(tools, repository);
    const shown = new Set(verdicts.map(({ item }) => leftoverKey(item)));
    await this.removeRest(now, planClean(now, this.choice, shown));
    await this.emptyTrash(found);
    return { ...report, removed: this.removed, failed: this.failed, ended };
  }

  /** A run that is given up by name may have left agents at work. */
  private endAgents({ records }: FoundLeftovers): number {
    const { run } = this.choice;
    const record = run === undefined ? undefined : records.get(run);
    if (run === undefined || record?.standing !== 'interrupted') return 0;
    return record.open.reduce((sum, { task, transcript }) => {
      const { worktree: folder } = task;
      const tree = { leader: null, mark: { run, task: task.id }, folder, output: transcript };
      return sum + this.place.tools.trees.signalTree(tree, 'SIGKILL');
    }, 0);
  }

  private async releaseWorktrees(
    found: FoundLeftovers,
    verdicts: readonly CleanVerdict[],
  ): Promise<void> {
    for (const { item, fate } of verdicts) {
      if (item.kind !== 'worktree' || fate === 'stays') continue;
      const left = found.worktrees.get(item.path);
      if (left === undefined) continue;
      try {
        this.noteRelease(item, await this.release(left, found, fate === 'asked'));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        this.failed.push({ item, why: error.message });
      }
    }
  }

  private noteRelease(item: Leftover, release: Release): void {
    if (release.kind === 'kept') {
      const why = `could not be saved, so it is kept in ${release.path}: ${release.reason}`;
      this.failed.push({ item, why });
    } else this.removed.push({ item, saved: release.kind === 'removed' ? release.saved : null });
  }

  private async release(
    left: LeftWorktree,
    { tips, runs }: FoundLeftovers,
    discard: boolean,
  ): Promise<Release> {
    const { tools, repository } = this.place;
    const { base, entry, owner, path, aside } = left;
    // What nobody's name is on is saved under the latest run.
    const runId = owner?.run ?? runs[0]?.id ?? parseRunId(`PEXEC-${tools.clock.now()}`);
    const site = await createWorktreePool({ ...tools, ...repository, base, runId }).site();
    if (entry === null || !aside) {
      if (entry?.worktree !== null) return releaseWorktree(site, path, tips);
      await site.alone(() => dropBrokenEntries(site));
      return { kind: 'gone' };
    }
    return releaseKept(site, { ...entry, worktree: path }, tips, discard);
  }

  private async removeRest(
    found: FoundLeftovers,
    verdicts: readonly CleanVerdict[],
  ): Promise<void> {
    const going = verdicts
      .filter(({ fate }) => fate === 'proven' || fate === 'asked')
      .map(({ item }) => item);
    await this.deleteBranches(going, found.tips);
    const left = await this.deleteRefs(going);
    for (const item of going) {
      if (item.kind === 'folder' && !left.has(item.run)) await this.removeFolder(item);
    }
  }

  private async deleteBranches(going: readonly Leftover[], tips: readonly string[]): Promise<void> {
    const { tools, repository } = this.place;
    for (const item of going) {
      if (item.kind !== 'branch') continue;
      if (await deleteBranch({ ...tools, ...repository }, item.branch, tips))
        this.removed.push({ item, saved: null });
      else this.failed.push({ item, why: 'it has moved meanwhile' });
    }
  }

  /** Resolves with the runs of which a ref stays. */
  private async deleteRefs(going: readonly Leftover[]): Promise<ReadonlySet<RunId>> {
    const { tools, repository } = this.place;
    const refs = going.flatMap((item) => (item.kind === 'ref' ? [item] : []));
    const stay = new Set(
      (await deleteRefs(tools.git, repository.root, refs)).map(({ ref }) => ref),
    );
    for (const item of refs) {
      if (stay.has(item.ref)) this.failed.push({ item, why: 'it has moved meanwhile' });
      else this.removed.push({ item, saved: null });
    }
    return new Set(refs.filter(({ ref }) => stay.has(ref)).map(({ run }) => run));
  }

  /** Out of the way in one step, so that nobody ever sees half a run. */
  private async removeFolder(item: Extract<Leftover, { readonly kind: 'folder' }>): Promise<void> {
    const { tools, repository } = this.place;
    const trash = runTrash(repository.root);
    await tools.fs.makeDir(trash);
    await tools.fs.rename(item.path, join(trash, `${item.run}-${randomUUID().slice(0, 8)}`));
    this.removed.push({ item, saved: null });
  }

  private async emptyTrash({ items, bases }: FoundLeftovers): Promise<void> {
    const { fs, files } = this.place.tools;
    const { commonDir, root } = this.place.repository;
    const trees = await findTrash({ fs, files, commonDir }, bases);
    // What cannot be deleted is tried again by the next run and the next clean.
    await fs.removeTrees([...trees, runTrash(root)]).catch(() => undefined);
    for (const item of items) {
      if (item.kind !== 'trash' || this.choice.run !== undefined) continue;
      if (await fs.exists(item.path)) this.failed.push({ item, why: 'it could not be deleted' });
      else this.removed.push({ item, saved: null });
    }
  }
}

import { join, resolve } from 'node:path';

import { type AdminEntry, findAdminEntry, ownerText, type WorktreeOwner } from './admin-entry';
import { linkWorktree, placeBranch } from './link-worktree';
import { releaseWorktree } from './worktree-safety';
import type { WorktreeSite } from './worktree-site';

/** Bytes of all their indexes together, some 20,000 files: what waits for nobody yet may not fill the disk. */
const MOST_INDEX_BYTES = 2_000_000;
/** However large the repository is. */
const LEAST = 2;

const SPARE_NAME = /^spare-(\d+)-\d+$/;

/** Several pools of one process, and several processes, may have some. */
let made = 0;

/** A worktree nobody has worked in. */
interface Spare {
  readonly path: string;
  readonly commit: string;
  readonly entry: AdminEntry;
}

/** A spare one that has become an agent's. */
export interface TakenSpare {
  readonly entry: AdminEntry;
  /** Commit whose files it has. */
  readonly commit: string;
}

type AgentOwner = Extract<WorktreeOwner, { readonly kind: 'agent' }>;

/**
 * Worktrees that are made while the machine has nothing better to do, so that the next agents need not
 * wait for their files: `<base>/spare-<pid>-<n>`, detached, with all files of a commit. Nothing that happens
 * to one can lose work: until it is taken and marked as ready, nobody has worked in it.
 */
export class SpareWorktrees {
  private readonly idle: Spare[] = [];
  /** Could neither be made nor taken away: the disk was full. */
  private readonly halfMade: string[] = [];
  private most = Infinity;

  /** `fill` writes all files of a commit into a worktree without any. */
  constructor(
    private readonly fill: (site: WorktreeSite, path: string, commit: string) => Promise<void>,
    private readonly isAlive: (pid: number) => boolean,
  ) {}

  /** Makes no more: the agents of this repository get worktrees that are there as soon. */
  stop(): void {
    this.most = 0;
  }

  /** Makes one more unless `wanted` are there; `false` when there are, or none could be made. */
  async add(site: WorktreeSite, commit: string, wanted: number): Promise<boolean> {
    if (this.idle.length >= Math.min(wanted, this.most)) return false;
    const path = join(site.base, `spare-${process.pid}-${(made += 1)}`);
    try {
      await releaseWorktree(site, path, []);
      const entry = await linkWorktree(site, path, commit, { kind: 'spare', run: site.runId });
      await this.fill(site, path, commit);
      const size = (await site.fs.size(join(entry.folder, 'index'))) ?? 0;
      if (this.most > 0)
        this.most = Math.max(LEAST, Math.floor(MOST_INDEX_BYTES / Math.max(1, size)));
      this.idle.push({ path, commit, entry });
      return true;
    } catch {
      // Whoever needs a worktree makes it himself, and is told what is wrong.
      await releaseWorktree(site, path, []).catch(() => this.halfMade.push(path));
      return false;
    }
  }

  /**
   * Turns the newest into an agent's worktree at `path`, where nothing is, with HEAD on the owner's branch,
   * which is made or moved to `commit`; its files stay those of its own commit. `null` when there is none.
   * The tree moves first: what a kill leaves at any point is known to be ours, and unused.
   */
  async take(
    site: WorktreeSite,
    path: string,
    commit: string,
    owner: AgentOwner,
  ): Promise<TakenSpare | null> {
    const spare = this.idle.pop();
    if (spare === undefined) return null;
    await placeBranch(site, owner.branch, commit);
    const { fs } = site;
    const { folder } = spare.entry;
    if (!(await fs.rename(spare.path, path))) return this.drop(site, spare);
    await fs.replace(join(folder, 'gitdir'), `${join(path, '.git')}\n`);
    await fs.replace(join(folder, 'HEAD'), `ref: refs/heads/${owner.branch}\n`);
    await fs.replace(join(folder, 'locked'), `${ownerText(owner)}\n`);
    const entry = await findAdminEntry(site, path);
    if (entry !== null && !entry.broken) return { entry, commit: spare.commit };
    await releaseWorktree(site, path, [commit]);
    return null;
  }

  /** Removes those that nobody took, and what processes that were killed left of theirs. */
  async clear(site: WorktreeSite): Promise<void> {
    const unused = [...this.idle.splice(0).map(({ path }) => path), ...this.halfMade.splice(0)];
    for (const path of unused) await releaseWorktree(site, path, []);
    for (const name of await this.leftIn(site, site.base)) {
      await releaseWorktree(site, join(site.base, name), []).catch(() => undefined);
    }
  }

  /** Whether processes that were killed left some; the folder of worktrees need not be there. */
  async areLeft(options: Pick<WorktreeSite, 'fs' | 'root' | 'base'>): Promise<boolean> {
    return (await this.leftIn(options, resolve(options.root, options.base))).length > 0;
  }

  private async leftIn({ fs }: Pick<WorktreeSite, 'fs'>, base: string): Promise<readonly string[]> {
    return (await fs.list(base)).filter((name) => {
      const pid = SPARE_NAME.exec(name)?.[1];
      return pid !== undefined && !this.isAlive(Number(pid));
    });
  }

  /** Somebody has removed its folder. */
  private async drop(site: WorktreeSite, { path }: Spare): Promise<null> {
    await releaseWorktree(site, path, []);
    return null;
  }
}

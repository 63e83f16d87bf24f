import type { Git } from '../ports/git';
import type { RefGuard } from './land';
import { advanceIntegration, readRef } from './land';
import { landedCandidates } from './landed';
import type { Layer, QueueItem } from './stack';
import { treeOf } from './stack';

/** The integration branch as a drain sees it. */
export interface Line {
  readonly commit: string;
  readonly tree: string;
  /** Looks where the branch is. Throws when there is none. */
  read(): Promise<string>;
  /** Moves it on by compare-and-swap; `false`: somebody else has moved it. Rejects with `TakenOver`. */
  moveTo(layer: Layer): Promise<boolean>;
  /** Those of `items` that are on it already, landed by a process that could not say so any more. */
  findLanded(items: readonly QueueItem[]): Promise<readonly FoundLanded[]>;
}

export interface FoundLanded {
  readonly item: QueueItem;
  readonly commit: string;
  readonly tree: string;
}

/** The branch `ref`. */
export class BranchLine implements Line {
  commit = '';
  tree = '';

  constructor(
    private readonly git: Git,
    private readonly root: string,
    private readonly ref: string,
    private readonly guard?: RefGuard,
  ) {}

  async read(): Promise<string> {
    const { git, root, ref } = this;
    const commit = await readRef(git, root, ref);
    if (commit === null) throw new Error(`${ref} does not exist.`);
    if (commit !== this.commit) this.tree = await treeOf(git, root, commit);
    this.commit = commit;
    return commit;
  }

  async moveTo({ commit: to, tree }: Layer): Promise<boolean> {
    const { git, root, ref, guard, commit: from } = this;
    if (to === from) return (await readRef(git, root, ref)) === from;
    const moved = await advanceIntegration({ git, root, ref, from, to, guard });
    if (moved === 'stale') return false;
    this.commit = to;
    this.tree = tree;
    return true;
  }

  async findLanded(items: readonly QueueItem[]): Promise<readonly FoundLanded[]> {
    const { git, root } = this;
    const since = new Map<string, ReadonlyMap<string, string>>();
    const found = [];
    for (const item of items) {
      const { base, commit: id, noop } = item.candidate;
      if (noop) continue;
      const known = since.get(base) ?? (await landedCandidates(git, root, this.commit, base));
      since.set(base, known);
      const commit = known.get(id);
      if (commit !== undefined) found.push({ item, commit, tree: await treeOf(git, root, commit) });
    }
    return found;
  }
}

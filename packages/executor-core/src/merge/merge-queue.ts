import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { ResolvedPath } from '../model/resolved-path';
import type { ConflictPolicy } from '../model/task';
import type { Git } from '../ports/git';
import type { VerifyTree } from './absorb-target';
import type { Bisection } from './bisect';
import { afterVerdict, nextStep, startBisection } from './bisect';
import type { RefGuard } from './land';
import { advanceIntegration, readRef } from './land';
import { landedCandidates } from './landed';
import type { Ladder } from './resolve-conflict';
import type { Layer, QueueItem, Stack } from './stack';
import { buildStack, treeOf } from './stack';
import { CANDIDATE_TRAILER, parseTrailers } from './trailers';

/** Somebody else moved the ref this often in a row while we held the mutex: give up for now. */
const MAX_STALE = 5;

export interface DrainDeps {
  readonly git: Git;
}

/** What landed as. `null`s: there was nothing to land. */
export interface Landing {
  readonly commit: string | null;
  readonly tree: string | null;
  /** How what was in conflict was settled. */
  readonly resolved?: readonly ResolvedPath[];
}

/** The callbacks are awaited: journal first, then on. One that rejects ends the drain. */
export interface DrainContext {
  readonly root: string;
  /** Full name of the integration branch; it exists. */
  readonly ref: string;
  /** In landing order: dependencies first, then priority, then arrival. */
  readonly queue: readonly QueueItem[];
  /** Judges a merged tree; called once per tree. `null`: the plan has no checks. */
  readonly verify: VerifyTree | null;
  /** Who may land, verified by git with each move of the branch. */
  readonly fence?: RefGuard;
  /** Looks which leases hold: `true` for a fencing token that is current. Asked again right before a landing. */
  readonly checkFences: () => Promise<(fence: number) => boolean>;
  readonly conflictPolicy: ConflictPolicy;
  /** The rungs of the conflict ladder above a clean merge; without them none is tried. */
  readonly ladder?: Ladder;
  /** Once per item, before it is verified or rejected. `batch`: candidates verified together. */
  readonly onMerging: (item: QueueItem, onto: string, batch: number) => Promise<void>;
  /** After the ref moved; also for a candidate an earlier process landed. */
  readonly onLanded: (item: QueueItem, landing: Landing) => Promise<void>;
  readonly onRejected: (item: QueueItem, failure: Failure) => Promise<void>;
  /** Ends the drain between two steps; what has not landed stays in the queue. */
  readonly signal?: AbortSignal;
  /**
   * `DrainResult.tip` of the caller's last drain. While the branch has not moved since, nothing in the
   * queue can be on it: a candidate is queued in the journal before anybody lands it.
   */
  readonly knownTip?: string | null;
}

export interface DrainResult {
  /** Tip of the integration branch at the end. */
  readonly tip: string;
  readonly landed: readonly TaskId[];
  readonly rejected: readonly TaskId[];
  /** Neither landed nor rejected: the drain was stopped, or the ref did not hold still. */
  readonly left: readonly QueueItem[];
}

/**
 * Lands a queue of candidates on the integration branch. The caller holds the merge mutex, and with it
 * works for every process that put something into the queue (flat combining).
 *
 * The candidates are merged in memory into a stack of commits, one per task on one line; the stack is
 * verified, by prefix bisection where it is red, and what is green lands by compare-and-swap. A
 * candidate in conflict with what has landed, or found guilty of a red tree, is rejected, and the
 * others go on. Rejects with `TakenOver` when the fence was moved. Invariants: the ref only ever moves to a tree that was verified green (the tip it
 * stands on counts as green); a candidate lands at most once, also across crashes, because its id is
 * in a trailer of the commit that landed it. Throws when a message lacks that trailer.
 */
export async function drainQueue(deps: DrainDeps, context: DrainContext): Promise<DrainResult> {
  for (const { message, candidate, task } of context.queue) {
    if (parseTrailers(message).get(CANDIDATE_TRAILER) !== candidate.commit) {
      throw new Error(`The message of ${task} does not name its candidate.`);
    }
  }
  const drain = new Drain(deps.git, context);
  let stale = 0;
  while (drain.left.length > 0 && context.signal?.aborted !== true && stale < MAX_STALE) {
    const round = await drain.round();
    if (round === 'stopped') break;
    stale = round === 'stale' ? stale + 1 : 0;
  }
  const { landed, rejected, left } = drain;
  return { tip: drain.known ?? (await drain.readTip()), landed, rejected, left };
}

/** `again`: something was settled, so the stack is another one now. */
type Round = 'again' | 'stale' | 'stopped';

class Drain {
  left: readonly QueueItem[];
  readonly landed: TaskId[] = [];
  readonly rejected: TaskId[] = [];
  private readonly verdicts = new Map<string, Failure | null>();
  private readonly announced = new Set<QueueItem>();
  /** Tip below which none of what is left has landed. */
  known: string | null;

  constructor(
    private readonly git: Git,
    private readonly context: DrainContext,
  ) {
    this.left = context.queue;
    this.known = context.knownTip ?? null;
  }

  async readTip(): Promise<string> {
    const tip = await readRef(this.git, this.context.root, this.context.ref);
    if (tip === null) throw new Error(`${this.context.ref} does not exist.`);
    return tip;
  }

  /** Builds one stack on the tip and settles it as far as it stays valid. */
  async round(): Promise<Round> {
    const { root, conflictPolicy } = this.context;
    const ladder = this.context.ladder === undefined ? {} : { ladder: this.context.ladder };
    const tip = await this.readTip();
    if (tip !== this.known) await this.settleLanded(tip);
    this.known = tip;
    await this.dropFenced(this.left);
    if (this.left.length === 0) return 'again';
    this.verdicts.set(await treeOf(this.git, root, tip), null);
    const request = {
      git: this.git,
      root,
      tip,
      items: this.left,
      policy: conflictPolicy,
      ...ladder,
    };
    const stack = await buildStack(request);
    await this.announce(stack, tip);
    for (const { item, paths } of stack.conflicts) {
      await this.reject(item, { kind: 'conflict', paths, onto: tip });
    }
    return this.settleStack(stack.layers, tip);
  }

  private async settleStack(layers: readonly Layer[], tip: string): Promise<Round> {
    let state: Bisection = startBisection(layers.length);
    let rest = layers;
    let onto = tip;
    let culprit: Failure | null = null;
    for (;;) {
      const step = nextStep(state);
      if (step.kind === 'done') return 'again';
      if (step.kind === 'evict') {
        const [guilty] = rest;
        if (guilty !== undefined && culprit !== null) await this.reject(guilty.item, culprit);
        return 'again';
      }
      if (this.context.signal?.aborted === true) return 'stopped';
      const part = rest.slice(0, step.count);
      const top = part.at(-1);
      if (top === undefined) throw new Error('Bisection asked for an empty prefix.');
      const verdict = await this.judge(top, onto);
      if (verdict !== null && !isVerdict(verdict)) return 'stopped';
      state = afterVerdict(state, step.count, verdict === null);
      if (verdict !== null) {
        culprit = verdict;
        continue;
      }
      const landing = await this.land(part, onto, top.commit);
      if (landing !== 'landed') return landing;
      rest = rest.slice(step.count);
      onto = top.commit;
      this.known = onto;
    }
  }

  private async judge({ commit, tree }: Layer, onto: string): Promise<Failure | null> {
    const { verify } = this.context;
    if (verify === null) return null;
    const known = this.verdicts.get(tree);
    if (known !== undefined) return known;
    const verdict = await verify(commit, tree, onto);
    if (verdict === null || isVerdict(verdict)) this.verdicts.set(tree, verdict);
    return verdict;
  }

  private async land(part: readonly Layer[], from: string, to: string): Promise<'landed' | Round> {
    const { root, ref, fence: guard } = this.context;
    if ((await this.dropFenced(part.map(({ item }) => item))) > 0) return 'again';
    if (to === from) {
      if ((await this.readTip()) !== from) return 'stale';
    } else if (
      (await advanceIntegration({ git: this.git, root, ref, from, to, guard })) === 'stale'
    ) {
      return 'stale';
    }
    for (const { item, noop, commit, tree, resolved } of part) {
      await this.report(item, noop ? { commit: null, tree: null } : { commit, tree, resolved });
    }
    return 'landed';
  }

  /** Reports what is on the branch already, landed by a process that could not say so any more. */
  private async settleLanded(tip: string): Promise<void> {
    const { root } = this.context;
    const bySince = new Map<string, ReadonlyMap<string, string>>();
    for (const item of this.left) {
      const { base, commit: id, noop } = item.candidate;
      if (noop) continue;
      const known = bySince.get(base) ?? (await landedCandidates(this.git, root, tip, base));
      bySince.set(base, known);
      const commit = known.get(id);
      if (commit === undefined) continue;
      await this.report(item, { commit, tree: await treeOf(this.git, root, commit) });
    }
  }

  /** Rejects those of `items` whose lease was taken over; resolves with their number. */
  private async dropFenced(items: readonly QueueItem[]): Promise<number> {
    let dropped = 0;
    const isCurrent = await this.context.checkFences();
    for (const item of items) {
      const { fence } = item.candidate;
      if (isCurrent(fence)) continue;
      await this.reject(item, { kind: 'lost-lease', token: fence });
      dropped += 1;
    }
    return dropped;
  }

  private async announce({ layers, conflicts }: Stack, tip: string): Promise<void> {
    for (const { item } of [...layers, ...conflicts]) {
      if (this.announced.has(item)) continue;
      this.announced.add(item);
      await this.context.onMerging(item, tip, layers.length);
    }
  }

  private async report(item: QueueItem, landing: Landing): Promise<void> {
    this.left = this.left.filter((other) => other !== item);
    this.landed.push(item.task);
    await this.context.onLanded(item, landing);
  }

  private async reject(item: QueueItem, failure: Failure): Promise<void> {
    this.left = this.left.filter((other) => other !== item);
    this.rejected.push(item.task);
    await this.context.onRejected(item, failure);
  }
}

/** A stopped check says nothing about the candidate; every other failure is a red verdict. */
function isVerdict({ kind }: Failure): boolean {
  return kind !== 'interrupted' && kind !== 'cancelled';
}

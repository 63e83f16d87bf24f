import type { Affected } from '../graph/affected';
import type { Failure } from '../model/failure';
import type { TaskId } from '../model/ids';
import type { Line } from './branch-line';
import type { Looking } from './failure-rate';
import { FailureRate } from './failure-rate';
import { Inbox } from './inbox';
import { Lane } from './lane';
import { placeInLanes } from './lanes';
import type { DrainContext, Landing } from './drain-context';
import { isVerdict } from './remember-verdicts';
import type { Layer, QueueItem, Stack } from './stack';
import type { Verified } from './verify-slots';
import { VerifySlots } from './verify-slots';

/** How a round ended: nothing is left to do, it was stopped, or somebody else moved the branch. */
export type Ending = 'done' | 'stopped' | 'stale';

type BuildStack = (items: readonly QueueItem[], tip: string, onLayer: boolean) => Promise<Stack>;

/** Rounds of the loop in which nothing is verified, landed or rejected, before that is taken for a bug. */
const MOST_IDLE = 3;
const ALL: Affected = 'all';

/** The moves of `drainQueue`: puts candidates into lanes, keeps the slots busy, lands what is green. */
export class Drain {
  /** Neither landed nor rejected. */
  left: readonly QueueItem[];
  readonly landed: TaskId[] = [];
  readonly rejected: TaskId[] = [];
  /** Tip below which none of what is left has landed. */
  known: string | null;
  private lanes: readonly Lane[] = [];
  private places: VerifySlots;
  /** Found red alone, and being verified again, with the first verdict. */
  private readonly suspects = new Map<QueueItem, Failure>();
  private readonly announced = new Set<QueueItem>();
  private readonly inbox: Inbox;
  private readonly affected = new Map<QueueItem, Affected>();
  private readonly rate: FailureRate;
  private readonly looking: Pick<Looking, 'slots' | 'verify'>;

  /** `stackOf` builds a stack of `items` on the commit `tip`, which is a layer or has landed. */
  constructor(
    private readonly tip: Line,
    private readonly stackOf: BuildStack,
    private readonly context: DrainContext,
  ) {
    this.left = context.queue;
    this.known = context.knownTip ?? null;
    this.rate = context.rate ?? new FailureRate();
    const { slots = 1, verify, verifyEach = false } = context;
    this.looking = { slots, verify: verify === null ? 'none' : verifyEach ? 'each' : 'batch' };
    this.inbox = new Inbox(context.queue, context.arrivals);
    this.places = this.freshPlaces();
  }

  /** Begins anew on the tip as it is now, and goes on while there is something to do. */
  async round(): Promise<Ending> {
    this.lanes = [];
    this.suspects.clear();
    this.places = this.freshPlaces();
    try {
      const tip = await this.tip.read();
      const landed = tip === this.known ? [] : await this.tip.findLanded(this.left);
      for (const { item, ...landing } of landed) await this.report(item, landing);
      this.known = tip;
      await this.dropFenced(this.left);
      return await this.work();
    } finally {
      await this.places.stopAll();
    }
  }

  private freshPlaces(): VerifySlots {
    const { verify, signal } = this.context;
    return new VerifySlots(this.looking.slots, verify ?? (() => Promise.resolve(null)), signal);
  }

  private async work(): Promise<Ending> {
    for (let idle = 0; ;) {
      const before = this.left;
      const arrival = this.inbox.next();
      await this.admit();
      const ending = await this.fill();
      if (ending !== null) return ending;
      if (this.left.length === 0) return 'done';
      if (this.context.signal?.aborted === true) return 'stopped';
      await this.context.onTurn?.();
      if (this.places.isEmpty) {
        idle = this.left === before ? idle + 1 : 0;
        if (idle > MOST_IDLE) throw new Error('Internal error: the merge queue does not move.');
        continue;
      }
      const after = await this.takeVerdicts(arrival);
      if (after !== null) return after;
    }
  }

  /** Waits for a verdict or an arrival, and takes in all that is known before anything new is begun. */
  private async takeVerdicts(arrival: Promise<void>): Promise<Ending | null> {
    let verified = await this.places.next(arrival);
    while (verified !== null) {
      const ending = await this.take(verified);
      if (ending !== null) return ending;
      verified = this.places.known();
    }
    return null;
  }

  /** Puts what is in no lane into one, and builds the stacks of what is new. */
  private async admit(): Promise<void> {
    await this.takeIn();
    this.lanes = this.lanes.filter(({ items }) => items.length > 0);
    const placed = new Set(this.lanes.flatMap(({ items }) => items));
    const homeless = this.left.filter((item) => !placed.has(item) && !this.suspects.has(item));
    if (homeless.length > 0) await this.place(homeless);
    for (const lane of this.lanes) await this.build(lane);
  }

  /** What has come; what was taken back goes. */
  private async takeIn(): Promise<void> {
    const { fresh, isGone } = await this.inbox.look();
    for (const item of this.left.filter(isGone)) this.forget(item);
    this.left = [...this.left, ...fresh];
  }

  private forget(item: QueueItem): void {
    this.left = this.left.filter((other) => other !== item);
    this.suspects.delete(item);
    for (const lane of this.lanes) lane.remove(item);
    this.places.stopUnwanted();
  }

  private async place(items: readonly QueueItem[]): Promise<void> {
    const known: { item: QueueItem; affected: Affected }[] = [];
    for (const item of items) {
      const affected = this.affected.get(item) ?? (await this.context.affected?.(item)) ?? ALL;
      this.affected.set(item, affected);
      known.push({ item, affected });
    }
    const lanes = [...this.lanes];
    const before = lanes.map(({ affected }) => affected);
    for (const { item, lane, affected } of placeInLanes(known, before)) {
      (lanes[lane] ??= new Lane()).add(item, affected);
    }
    this.lanes = lanes;
  }

  private async build(lane: Lane): Promise<void> {
    const items = lane.unbuilt;
    const [tip, top] = [this.tip, lane.layers.at(-1)];
    if (items.length === 0) return;
    const stack = await this.stackOf(items, top?.commit ?? tip.commit, top !== undefined);
    if (top !== undefined) {
      // What is in conflict with what has not landed yet is looked at again when it has.
      lane.extended(stack);
      await this.announce({ ...stack, conflicts: [] }, lane);
      return;
    }
    lane.rebuilt(stack, { commit: tip.commit, tree: tip.tree });
    await this.announce(stack, lane);
    for (const { item, paths } of stack.conflicts) {
      await this.reject(item, { kind: 'conflict', paths, onto: tip.commit });
    }
  }

  /** Begins verifications while there are slots: every lane gets one before any gets a second. */
  private async fill(): Promise<Ending | null> {
    for (const greedy of [false, true]) {
      for (const lane of this.lanes) {
        if (!greedy && !lane.isIdle) continue;
        do {
          const layer = this.places.hasFree ? lane.next(this.rate, this.looking) : null;
          if (layer === null) break;
          const base = lane.floor.commit;
          if (this.context.verify !== null && layer.tree !== lane.floor.tree) {
            this.places.start({ lane, layer, base, confirms: false });
            continue;
          }
          const ending = await this.takeGreen(lane, layer);
          if (ending !== null) return ending;
        } while (greedy);
      }
    }
    return null;
  }

  private async takeGreen(lane: Lane, layer: Layer): Promise<Ending | null> {
    const ready = lane.green(layer, this.looking.verify === 'each');
    return ready === null ? null : this.land(lane, ready);
  }

  private async take({ lane, layer, confirms, verdict }: Verified): Promise<Ending | null> {
    if (confirms) return this.settleSuspect(layer.item, verdict);
    if (!lane.wants(layer)) return null;
    if (verdict === null) return this.takeGreen(lane, layer);
    if (!isVerdict(verdict)) return 'stopped';
    lane.red(layer, verdict);
    this.accuse(lane);
    return null;
  }

  /** Takes a lane's culprit out, for its lane to go on while it is verified once more. */
  private accuse(lane: Lane): void {
    const { culprit, floor } = lane;
    if (culprit !== null) {
      const { layer, why } = culprit;
      lane.remove(layer.item);
      this.suspects.set(layer.item, why);
      // In the slot that gave the verdict.
      this.places.start({ lane, layer, base: floor.commit, confirms: true });
    }
    this.places.stopUnwanted();
  }

  private async settleSuspect(item: QueueItem, verdict: Failure | null): Promise<Ending | null> {
    const first = this.suspects.get(item);
    if (first === undefined) return null;
    if (!isVerdict(verdict)) return 'stopped';
    this.suspects.delete(item);
    if (verdict === null) {
      // Red, then green, of the same tree: it goes back to the end of its lane.
      await this.context.onFlake?.(item, first);
      return null;
    }
    this.rate.note(true);
    await this.reject(item, verdict);
    return null;
  }

  /** Lands everything up to `layer`, which is green. */
  private async land(lane: Lane, layer: Layer): Promise<Ending | null> {
    const part = lane.layers.slice(0, lane.lengthTo(layer));
    await this.takeIn();
    if (part.some(({ item }) => !this.left.includes(item))) return null;
    if ((await this.dropFenced(part.map(({ item }) => item))) > 0) return null;
    const landing = await this.ontoTip(lane, part);
    const top = landing?.at(-1);
    if (landing === null || top === undefined) {
      lane.drop();
      this.places.stopUnwanted();
      return null;
    }
    if (!(await this.tip.moveTo(top))) return 'stale';
    this.known = this.tip.commit;
    for (const { item, noop, commit, tree, resolved } of landing) {
      this.rate.note(false);
      await this.report(item, noop ? { commit: null, tree: null } : { commit, tree, resolved });
    }
    lane.landed(layer);
    this.accuse(lane);
    return null;
  }

  /**
   * The layers as they land: as they are, or built again where another lane has landed since. That
   * changes nothing this lane's checks look at, so its verdict holds. `null`: they do not fit any more.
   */
  private async ontoTip(lane: Lane, part: readonly Layer[]): Promise<readonly Layer[] | null> {
    if (lane.floor.commit === this.tip.commit) return part;
    const items = part.map(({ item }) => item);
    const { layers } = await this.stackOf(items, this.tip.commit, false);
    return layers.length === part.length ? layers : null;
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

  private async announce({ layers, conflicts }: Stack, lane: Lane): Promise<void> {
    for (const { item } of [...layers, ...conflicts]) {
      if (this.announced.has(item)) continue;
      this.announced.add(item);
      await this.context.onMerging(item, lane.floor.commit, lane.layers.length);
    }
  }

  private async report(item: QueueItem, landing: Landing): Promise<void> {
    this.left = this.left.filter((other) => other !== item);
    this.landed.push(item.task);
    await this.context.onLanded(item, landing);
  }

  private async reject(item: QueueItem, failure: Failure): Promise<void> {
    this.forget(item);
    this.rejected.push(item.task);
    await this.context.onRejected(item, failure);
  }
}

import type { Affected } from '../graph/affected';
import { union } from '../graph/affected';
import type { Failure } from '../model/failure';
import type { FailureRate, Looking } from './failure-rate';
import type { PrefixSearch } from './prefix-search';
import {
  afterGreen,
  afterRed,
  extendSearch,
  greenThroughout,
  hasCulprit,
  holding,
  nextPrefix,
  startSearch,
  starting,
} from './prefix-search';
import type { Layer, QueueItem, Stack } from './stack';

/**
 * Candidates that can turn each other red, in landing order, with the stack built of them. Candidates
 * of different lanes cannot, so each lane is verified by itself and lands without waiting for others.
 */
export class Lane {
  /** What has neither landed nor was rejected; those in conflict with a layer are not in the stack yet. */
  items: readonly QueueItem[] = [];
  layers: readonly Layer[] = [];
  /** Commit below the first layer: green, as far as this lane can tell. */
  floor = { commit: '', tree: '' };
  affected: Affected = new Set();
  /** How many of `items` a stack was built for. */
  private built = 0;
  private search: PrefixSearch = startSearch(0);
  /** Verdict about the shortest red prefix. */
  private why: Failure | null = null;

  /** Items come after those that are here. */
  add(item: QueueItem, affected: Affected): void {
    this.items = [...this.items, item];
    this.affected = union(this.affected, affected);
  }

  /** Items that came after the stack was built; all of them when there is none. */
  get unbuilt(): readonly QueueItem[] {
    return this.layers.length === 0 ? this.items : this.items.slice(this.built);
  }

  /** The stack was built anew of all items on `floor`. */
  rebuilt({ layers }: Stack, floor: Lane['floor']): void {
    this.layers = layers;
    this.floor = floor;
    this.built = this.items.length;
    this.search = startSearch(layers.length);
  }

  /** Layers for the unbuilt items were put on top. */
  extended({ layers }: Stack): void {
    this.layers = [...this.layers, ...layers];
    this.built = this.items.length;
    this.search = extendSearch(this.search, layers.length);
  }

  /** Takes an item out; with a layer of it, the layers above it fall, and the search begins again. */
  remove(item: QueueItem): void {
    if (this.layers.some((layer) => layer.item === item)) this.drop();
    const index = this.items.indexOf(item);
    if (index < 0) return;
    this.items = this.items.filter((other) => other !== item);
    if (index < this.built) this.built -= 1;
  }

  /** Forgets the stack. */
  drop(): void {
    this.layers = [];
    this.search = startSearch(0);
  }

  /** Layer whose tree to verify next, already counted as being verified; `null`: nothing to do now. */
  next(rate: FailureRate, how: Pick<Looking, 'slots' | 'verify'>): Layer | null {
    const limits = rate.limitsFor({ size: this.layers.length, isRed: this.isRed, ...how });
    const count = nextPrefix(this.search, limits);
    if (count === null) return null;
    this.search = starting(this.search, count);
    return this.layers[count - 1] ?? null;
  }

  /** A prefix of it is red, and the culprit not known yet. */
  get isRed(): boolean {
    return this.search.red !== null;
  }

  /** Nothing of it is being verified. */
  get isIdle(): boolean {
    return this.search.running.length === 0;
  }

  /** Whether somebody still wants to know about this layer. */
  wants(layer: Layer): boolean {
    return this.search.running.includes(this.lengthTo(layer));
  }

  /** Number of layers up to this one; 0 when it is none of them any more. */
  lengthTo(layer: Layer): number {
    return this.layers.indexOf(layer) + 1;
  }

  /** The tree of `layer` is green: gives back the layer up to which all may land; with `each` there may be none yet. */
  green(layer: Layer, each: boolean): Layer | null {
    if (!each) return layer;
    this.search = holding(this.search, this.lengthTo(layer));
    return this.layers[greenThroughout(this.search) - 1] ?? null;
  }

  /** Everything up to `layer` is green and has landed. */
  landed(layer: Layer): void {
    const count = this.lengthTo(layer);
    const gone = new Set(this.layers.slice(0, count).map(({ item }) => item));
    this.search = afterGreen(this.search, count);
    this.layers = this.layers.slice(count);
    this.items = this.items.filter((item) => !gone.has(item));
    this.built -= gone.size;
    this.floor = { commit: layer.commit, tree: layer.tree };
  }

  /** The tree of `layer` is red, because of `why`. */
  red(layer: Layer, why: Failure): void {
    this.search = afterRed(this.search, this.lengthTo(layer));
    this.why = why;
  }

  /** The first layer, when it alone is to blame, and what for. */
  get culprit(): { readonly layer: Layer; readonly why: Failure } | null {
    const [layer] = this.layers;
    if (!hasCulprit(this.search) || layer === undefined || this.why === null) return null;
    return { layer, why: this.why };
  }
}

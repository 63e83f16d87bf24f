import { Chunked } from './chunked';

const BITS = 32;

/**
 * An immutable set of numbers from 0 to its capacity, visited in ascending order: one bit each. A
 * change copies two short arrays, so that sets of 10,000 tasks stay cheap while older ones remain
 * valid; a change that changes nothing gives the same set back.
 */
export class IndexSet {
  private constructor(
    private readonly words: Chunked<number>,
    readonly size: number,
  ) {}

  /** Throws `RangeError` (from `add`) for an item outside `0 … capacity - 1`. */
  static of(capacity: number, items: readonly number[] = []): IndexSet {
    const words = new Array<number>(Math.ceil(capacity / BITS)).fill(0);
    const unique = new Set(items);
    for (const item of unique) words[item >>> 5] = (words[item >>> 5] ?? 0) | (1 << (item & 31));
    return new IndexSet(Chunked.from(words), unique.size);
  }

  has(item: number): boolean {
    return ((this.words.get(item >>> 5) >>> (item & 31)) & 1) === 1;
  }

  add(item: number): IndexSet {
    return this.has(item) ? this : this.flip(item, 1);
  }

  addAll(items: readonly number[]): IndexSet {
    let size = this.size;
    const words = this.words.withEach(
      items.map((item) => item >>> 5),
      (word, position) => {
        const after = word | (1 << ((items[position] ?? 0) & 31));
        if (after !== word) size += 1;
        return after;
      },
    );
    return size === this.size ? this : new IndexSet(words, size);
  }

  /** Both together. They must have the same capacity and share nothing. */
  union(other: IndexSet): IndexSet {
    const more = other.words.toArray();
    const words = this.words.toArray().map((word, at) => word | (more[at] ?? 0));
    return new IndexSet(Chunked.from(words), this.size + other.size);
  }

  delete(item: number): IndexSet {
    return this.has(item) ? this.flip(item, -1) : this;
  }

  /** Visits the items until `visit` says `true`; whether it did. */
  some(visit: (item: number) => boolean): boolean {
    return this.words.some((word, at) => {
      for (let left = word; left !== 0; left &= left - 1) {
        const bit = BITS - 1 - Math.clz32(left & -left);
        if (visit(at * BITS + bit)) return true;
      }
      return false;
    });
  }

  toArray(): readonly number[] {
    const items: number[] = [];
    this.some((item) => {
      items.push(item);
      return false;
    });
    return items;
  }

  private flip(item: number, change: 1 | -1): IndexSet {
    const at = item >>> 5;
    const words = this.words.with(at, this.words.get(at) ^ (1 << (item & 31)));
    return new IndexSet(words, this.size + change);
  }
}

const SHIFT = 5;
const SIZE = 1 << SHIFT;
const MASK = SIZE - 1;

type Chunk<T> = readonly T[];
/** Chunks of chunks: three levels hold 10,000 items in lists of at most 32. */
type Block<T> = readonly Chunk<T>[];

/**
 * An immutable array whose `with` copies three short arrays instead of one long one, so that a
 * decision on a plan of 10,000 tasks stays cheap while older states remain valid.
 */
export class Chunked<T> {
  private constructor(private readonly blocks: readonly Block<T>[]) {}

  static from<T>(items: readonly T[]): Chunked<T> {
    return new Chunked(cut(cut(items)));
  }

  /** Throws when `index` is out of range: an index comes from the plan, never from outside. */
  get(index: number): T {
    return this.chunkOf(index)[index & MASK] as T;
  }

  with(index: number, value: T): Chunked<T> {
    const chunk = this.chunkOf(index);
    if (Object.is(chunk[index & MASK], value)) return this;
    const top = index >>> (2 * SHIFT);
    const block = replaced(
      this.blocks[top] ?? [],
      (index >>> SHIFT) & MASK,
      replaced(chunk, index & MASK, value),
    );
    return new Chunked(replaced(this.blocks, top, block));
  }

  /**
   * As `with` for many at once, each list copied once: `change` gives the new value from the one before
   * and the position in `indexes`. An index that is given twice is changed twice.
   */
  withEach(indexes: readonly number[], change: (value: T, position: number) => T): Chunked<T> {
    if (indexes.length === 0) return this;
    const blocks = this.blocks.slice();
    const copied = new Map<number, T[]>();
    let copy: T[] = [];
    let last = -1;
    indexes.forEach((index, position) => {
      const at = index >>> SHIFT;
      const chunk = this.chunkOf(index);
      if (at !== last) {
        const before = copied.get(at);
        copy = before ?? chunk.slice();
        if (before === undefined) {
          copied.set(at, copy);
          blocks[at >>> SHIFT] = replaced(blocks[at >>> SHIFT] ?? [], at & MASK, copy);
        }
        last = at;
      }
      copy[index & MASK] = change(copy[index & MASK] as T, position);
    });
    return new Chunked(blocks);
  }

  /** Visits the items in order until `visit` says `true`; whether it did. */
  some(visit: (item: T, index: number) => boolean): boolean {
    let index = 0;
    for (const block of this.blocks) {
      for (const chunk of block) {
        for (const item of chunk) {
          if (visit(item, index)) return true;
          index += 1;
        }
      }
    }
    return false;
  }

  toArray(): readonly T[] {
    const items: T[] = [];
    this.some((item) => {
      items.push(item);
      return false;
    });
    return items;
  }

  private chunkOf(index: number): Chunk<T> {
    const chunk = this.blocks[index >>> (2 * SHIFT)]?.[(index >>> SHIFT) & MASK];
    if (chunk === undefined || (index & MASK) >= chunk.length) {
      throw new RangeError(`Internal error: index ${index} is outside the plan.`);
    }
    return chunk;
  }
}

function cut<T>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += SIZE) parts.push(items.slice(at, at + SIZE));
  return parts;
}

function replaced<T>(items: readonly T[], at: number, value: T): readonly T[] {
  const copy = items.slice();
  copy[at] = value;
  return copy;
}

const SHIFT = 6;
const SIZE = 1 << SHIFT;
const MASK = SIZE - 1;

/**
 * An immutable array whose `with` copies two short arrays instead of one long one, so that a
 * decision on a plan of 10,000 tasks stays cheap while older states remain valid.
 */
export class Chunked<T> {
  private constructor(private readonly chunks: readonly (readonly T[])[]) {}

  static from<T>(items: readonly T[]): Chunked<T> {
    const chunks: T[][] = [];
    for (let i = 0; i < items.length; i += SIZE) chunks.push(items.slice(i, i + SIZE));
    return new Chunked(chunks);
  }

  /** Throws when `index` is out of range: an index comes from the plan, never from outside. */
  get(index: number): T {
    const chunk = this.chunks[index >>> SHIFT];
    if (chunk === undefined || (index & MASK) >= chunk.length) {
      throw new RangeError(`Internal error: index ${index} is outside the plan.`);
    }
    return chunk[index & MASK] as T;
  }

  with(index: number, value: T): Chunked<T> {
    if (Object.is(this.get(index), value)) return this;
    const at = index >>> SHIFT;
    const chunk = (this.chunks[at] ?? []).slice();
    chunk[index & MASK] = value;
    const chunks = this.chunks.slice();
    chunks[at] = chunk;
    return new Chunked(chunks);
  }

  /** Visits the items in order until `visit` says `true`; whether it did. */
  some(visit: (item: T, index: number) => boolean): boolean {
    return this.chunks.some((chunk, at) =>
      chunk.some((item, offset) => visit(item, at * SIZE + offset)),
    );
  }

  toArray(): readonly T[] {
    return this.chunks.flat();
  }
}

const SIZE = 64;

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
    const chunk = this.chunks[Math.floor(index / SIZE)];
    if (chunk === undefined || index % SIZE >= chunk.length) {
      throw new RangeError(`Internal error: index ${index} is outside the plan.`);
    }
    return chunk[index % SIZE] as T;
  }

  with(index: number, value: T): Chunked<T> {
    const at = Math.floor(index / SIZE);
    const chunk = [...(this.chunks[at] ?? [])];
    chunk[index % SIZE] = value;
    const chunks = [...this.chunks];
    chunks[at] = chunk;
    return new Chunked(chunks);
  }

  toArray(): readonly T[] {
    return this.chunks.flat();
  }
}

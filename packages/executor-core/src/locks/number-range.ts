import type { TableFiles } from './table-files';

/** Numbers taken from the counter at once, so that a grant need not wait for the disk. */
const BLOCK = 1_000;

/**
 * Tokens and tickets. The counter on disk is always at least as great as every number given; a leader
 * reserves a block before it gives the first, so numbers grow from leader to leader whatever happens.
 */
export class NumberRange {
  private refilling: Promise<void> | null = null;

  private constructor(
    private readonly files: TableFiles,
    private last: number,
    private limit: number,
  ) {}

  static async open(files: TableFiles): Promise<NumberRange> {
    const last = await files.lastNumber();
    await files.reserve(last + BLOCK);
    return new NumberRange(files, last, last + BLOCK);
  }

  /** `true` when `count` numbers can be given now; gets more in time. */
  has(count: number): boolean {
    const left = this.limit - this.last;
    if (left < BLOCK / 2 + count) void this.refill(count).catch(() => undefined);
    return left >= count;
  }

  next(): number {
    if (this.last >= this.limit) throw new Error('Internal error: no number is reserved.');
    this.last += 1;
    return this.last;
  }

  /** Resolves when there are at least `count` more; rejects when the counter cannot be written. */
  refill(count: number): Promise<void> {
    this.refilling ??= this.reserveMore(count).finally(() => {
      this.refilling = null;
    });
    return this.refilling;
  }

  /** Gives back what was not used, so that numbers stay small. */
  async close(): Promise<void> {
    await this.refilling?.catch(() => undefined);
    await this.files.reserve(this.last);
  }

  private async reserveMore(count: number): Promise<void> {
    const limit = this.limit + BLOCK + count;
    await this.files.reserve(limit);
    this.limit = limit;
  }
}

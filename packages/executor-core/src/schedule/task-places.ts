/** Where some tasks write, and what they name at all: one bit for each place, in two ways. */
export type Places = readonly [written: number, named: number, written2: number, named2: number];

/** The places of nobody. */
export const NOWHERE: Places = [0, 0, 0, 0];

/** All bits: what may meet everybody, or was not looked at yet. */
const ANYWHERE = -1;
const WAYS = 4;

/**
 * A rough idea of where each task of a plan reaches, to tell quickly that two have nothing to do with
 * each other. Places share bits, in two ways that share them differently.
 */
export class TaskPlaces {
  private readonly bits: Int32Array;

  constructor(tasks: number) {
    this.bits = new Int32Array(WAYS * tasks).fill(ANYWHERE);
  }

  /** The folders that a task cannot leave, each with a `/` at its end; the root is ''. */
  set(index: number, writes: readonly string[], reads: readonly string[]): void {
    for (const way of [0, 1]) {
      const written = bitsOf(writes, way);
      this.bits[WAYS * index + 2 * way] = written;
      this.bits[WAYS * index + 2 * way + 1] = written | bitsOf(reads, way);
    }
  }

  /** The places with those of one more task. */
  with(index: number, [written, named, written2, named2]: Places): Places {
    return [
      written | this.bit(index, 0),
      named | this.bit(index, 1),
      written2 | this.bit(index, 2),
      named2 | this.bit(index, 3),
    ];
  }

  /** `true` only where no conflict can be between the task and those at the places. */
  isApartFrom(index: number, [written, named, written2, named2]: Places): boolean {
    return (
      ((this.bit(index, 0) & named) | (this.bit(index, 1) & written)) === 0 ||
      ((this.bit(index, 2) & named2) | (this.bit(index, 3) & written2)) === 0
    );
  }

  /** `true` only where no conflict can be between the two. */
  areApart(a: number, b: number): boolean {
    return (
      ((this.bit(a, 0) & this.bit(b, 1)) | (this.bit(a, 1) & this.bit(b, 0))) === 0 ||
      ((this.bit(a, 2) & this.bit(b, 3)) | (this.bit(a, 3) & this.bit(b, 2))) === 0
    );
  }

  private bit(index: number, at: number): number {
    return this.bits[WAYS * index + at] ?? ANYWHERE;
  }
}

/** Folders that meet have the same first two names, unless one of them has fewer. */
function bitsOf(folders: readonly string[], way: number): number {
  let bits = 0;
  for (const folder of folders) {
    const end = folder.indexOf('/', folder.indexOf('/') + 1);
    if (end <= 0) return ANYWHERE;
    let hash = 0;
    for (let at = 0; at < end; at += 1) hash = Math.imul(hash, 31) + folder.charCodeAt(at);
    bits |= 1 << (Math.imul(hash, 0x9e3779b1) >>> (27 - 5 * way));
  }
  return bits;
}

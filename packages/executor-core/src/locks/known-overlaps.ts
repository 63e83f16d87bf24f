import { accessConflict, globsOverlap } from '../graph/path-overlap';
import type { Access } from '../model/access';

/** Globs whose pairs are remembered: a byte each, so a megabyte at most. */
const MOST_GLOBS = 1_024;
const UNKNOWN = 0;
const APART = 1;
const TOGETHER = 2;

interface Numbered {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

/**
 * `accessConflict`, exactly, for those who ask about the same globs again and again: a plan has few, and
 * its tasks meet in every decision. Each pair of globs is decided once.
 */
export function rememberOverlaps(): (a: Access, b: Access) => boolean {
  const known = new KnownGlobs();
  const accesses = new WeakMap<Access, Numbered | null>();
  const numbered = (access: Access): Numbered | null => {
    const before = accesses.get(access);
    if (before !== undefined) return before;
    const reads = known.numbersOf(access.reads);
    const writes = known.numbersOf(access.writes);
    const numbers = reads === null || writes === null ? null : { reads, writes };
    accesses.set(access, numbers);
    return numbers;
  };
  return (a, b) => {
    const one = numbered(a);
    const other = numbered(b);
    if (one === null || other === null) return accessConflict(a, b);
    return (
      known.meet(one.writes, other.writes) ||
      known.meet(one.writes, other.reads) ||
      known.meet(one.reads, other.writes)
    );
  };
}

class KnownGlobs {
  private readonly numbers = new Map<string, number>();
  private readonly globs: string[] = [];
  /** By the numbers of two globs. */
  private readonly answers: Uint8Array[] = [];

  /** `null` for lists with exclusions, which are no matter of two globs, and for too many globs. */
  numbersOf(globs: readonly string[]): readonly number[] | null {
    const numbers: number[] = [];
    for (const glob of globs) {
      const number = this.numberOf(glob);
      if (number === null) return null;
      numbers.push(number);
    }
    return numbers;
  }

  /** `true` when one of these overlaps one of those. */
  meet(these: readonly number[], those: readonly number[]): boolean {
    for (const one of these) {
      for (const other of those) {
        const answer = this.answers[one]?.[other] ?? UNKNOWN;
        if (answer === TOGETHER || (answer === UNKNOWN && this.decide(one, other))) return true;
      }
    }
    return false;
  }

  private numberOf(glob: string): number | null {
    const known = this.numbers.get(glob);
    if (known !== undefined) return known;
    if (glob.startsWith('!') || this.globs.length === MOST_GLOBS) return null;
    const number = this.globs.length;
    this.numbers.set(glob, number);
    this.globs.push(glob);
    this.answers.push(new Uint8Array(MOST_GLOBS));
    return number;
  }

  private decide(one: number, other: number): boolean {
    const overlap = globsOverlap(this.globs[one] ?? '', this.globs[other] ?? '');
    const answer = overlap ? TOGETHER : APART;
    this.answers[one]?.fill(answer, other, other + 1);
    this.answers[other]?.fill(answer, one, one + 1);
    return overlap;
  }
}

/** `"^1.2.3-beta.1"`: quote and prefix, numbers, what follows. */
const VERSION = /^"([^\d"]*)(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([\w.-]+))?(?:\+[\w.-]+)?"$/;

interface Version {
  /** What must be alike in two versions for them to be compared: the operator, how many numbers. */
  readonly shape: string;
  readonly numbers: readonly number[];
  readonly preRelease: readonly string[];
}

/**
 * Which of two versions or ranges (JSON strings) is higher by the precedence of Semantic Versioning 2.0
 * section 11; `null` when they are not of one shape (`^1.2.0` and `~1.3.0`), or equal in rank.
 */
export function higherVersion(ours: string, theirs: string): 'ours' | 'theirs' | null {
  const [left, right] = [parse(ours), parse(theirs)];
  if (left === null || right === null || left.shape !== right.shape) return null;
  const order =
    compareLists(left.numbers, right.numbers, (a, b) => a - b) ||
    comparePreRelease(left.preRelease, right.preRelease);
  if (order === 0) return null;
  return order > 0 ? 'ours' : 'theirs';
}

function parse(text: string): Version | null {
  const [, prefix, major, minor, patch, preRelease] = VERSION.exec(text) ?? [];
  if (prefix === undefined) return null;
  const given = [major, minor, patch].filter((part) => part !== undefined);
  return {
    shape: `${prefix} ${given.length}`,
    numbers: given.map(Number),
    preRelease: preRelease === undefined ? [] : preRelease.split('.'),
  };
}

/** A version without a pre-release part is the higher one; numbers are lower than words. */
function comparePreRelease(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return right.length - left.length;
  return compareLists(left, right, (a, b) => {
    const [isNumber, otherIsNumber] = [a, b].map((part) => /^\d+$/.test(part));
    if (isNumber && otherIsNumber) return Number(a) - Number(b);
    if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

function compareLists<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): number {
  for (const [at, one] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const order = compare(one, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

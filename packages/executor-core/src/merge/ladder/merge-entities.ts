/** A top-level part of a source file. The parts of a file are all of its text, in order. */
export interface Entity {
  /** What it declares, e.g. `function f`; the same in every version of the file, once in each. */
  readonly key: string;
  /** With the comments and blank lines before it; whole lines. */
  readonly text: string;
  /** Of an import: what it names. */
  readonly imported?: ImportList;
}

/** `import HEAD { NAMES } from MODULE`. */
export interface ImportList {
  /** What stands before the braces, such as `type` or a default import; `''` as a rule. */
  readonly head: string;
  readonly names: readonly string[];
  /** With its quotes. */
  readonly module: string;
}

export interface EntityVersions {
  readonly base: readonly Entity[];
  readonly ours: readonly Entity[];
  readonly theirs: readonly Entity[];
}

/** Merges the lines of one entity that both sides changed; `null`: it is a conflict. */
export type MergeLines = (base: string, ours: string, theirs: string) => Promise<string | null>;

/**
 * Merges a file by its entities: what one side alone changed, added or removed is taken; what both changed
 * is merged by its lines, and of an import that both extended what the candidate adds becomes an import of
 * its own behind it, so that the target's line stays. The order is the target's, or the candidate's
 * where that alone moved something; what is added stands behind what stood before it. `null`: entities cannot be
 * told apart, one is removed here and changed there or replaced twice, or both moved some.
 */
export async function mergeEntities(
  { base, ours, theirs }: EntityVersions,
  mergeLines: MergeLines,
): Promise<string | null> {
  const [below, left, right] = [byKey(base), byKey(ours), byKey(theirs)];
  if (below === null || left === null || right === null) return null;
  if (isReplacedTwice(below, left, right)) return null;
  const merged = new Map<string, string>();
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const versions = { base: below.get(key), ours: left.get(key), theirs: right.get(key) };
    const text = await mergeOne(versions, mergeLines);
    if (text === null) return null;
    if (text !== '') merged.set(key, text);
  }
  const order = mergeOrder([...below.keys()], [...left.keys()], [...right.keys()]);
  if (order === null) return null;
  return order.map((key) => merged.get(key) ?? '').join('');
}

function byKey(entities: readonly Entity[]): ByKey | null {
  const found = new Map(entities.map((entity) => [entity.key, entity]));
  return found.size === entities.length ? found : null;
}

type ByKey = ReadonlyMap<string, Entity>;

/** Both sides put something else in the place of an entity, such as a renamed function or another call. */
function isReplacedTwice(base: ByKey, ours: ByKey, theirs: ByKey): boolean {
  const isGone = [...base.keys()].some((key) => !ours.has(key) && !theirs.has(key));
  const adds = (side: ByKey, other: ByKey): boolean =>
    [...side.keys()].some((key) => !base.has(key) && !other.has(key));
  return isGone && adds(ours, theirs) && adds(theirs, ours);
}

interface OneEntity {
  readonly base: Entity | undefined;
  readonly ours: Entity | undefined;
  readonly theirs: Entity | undefined;
}

/** Its text, `''` when it goes, `null` in conflict. */
async function mergeOne(
  { base, ours, theirs }: OneEntity,
  mergeLines: MergeLines,
): Promise<string | null> {
  const [was, left, right] = [base?.text ?? '', ours?.text ?? '', theirs?.text ?? ''];
  if (left === right || right === was) return left;
  if (left === was) return right;
  if (ours === undefined || theirs === undefined) return null;
  return (await mergeLines(was, left, right)) ?? unitedImport(base, ours, theirs);
}

/** The target's import, and behind it one of what the candidate imports in addition. */
function unitedImport(base: Entity | undefined, ours: Entity, theirs: Entity): string | null {
  const [left, right] = [ours.imported, theirs.imported];
  if (left === undefined || right === undefined || left.head !== right.head) return null;
  // A default import would be declared twice.
  if (left.head !== '' && left.head !== 'type') return null;
  const before = base?.imported?.names ?? [];
  const more = right.names.filter((name) => !left.names.includes(name) && !before.includes(name));
  if (more.length === 0) return ours.text;
  const taken = new Set(left.names.map(localName));
  if (more.some((name) => taken.has(localName(name)))) return null;
  const words = ['import', left.head, `{ ${more.join(', ')} }`, 'from', right.module];
  const end = ours.text.trimEnd().endsWith(';') ? ';\n' : '\n';
  const line = words.filter((word) => word !== '').join(' ') + end;
  return (ours.text.endsWith('\n') ? ours.text : `${ours.text}\n`) + line;
}

/** What `type a as b` is called in the file. */
function localName(name: string): string {
  return (
    name
      .split(/\s+as\s+/)
      .at(-1)
      ?.replace(/^type\s+/, '') ?? name
  );
}

/** The keys of both sides in one order; `null` when both moved something. */
function mergeOrder(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
): readonly string[] | null {
  const moved = (side: readonly string[]): boolean => {
    const common = new Set(side.filter((key) => base.includes(key)));
    const [now, before] = [
      side.filter((key) => common.has(key)),
      base.filter((key) => common.has(key)),
    ];
    return now.some((key, at) => key !== before[at]);
  };
  const [first, second] = moved(theirs) ? [theirs, ours] : [ours, theirs];
  if (first === theirs && moved(ours)) return null;
  const order = [...first];
  let behind = -1;
  for (const key of second) {
    const at = order.indexOf(key);
    if (at >= 0) behind = at;
    else {
      // The target's additions come first where both add to one place.
      if (second === theirs) behind = skipAdded(order, behind, base);
      order.splice(behind + 1, 0, key);
      behind += 1;
    }
  }
  return order;
}

function skipAdded(order: readonly string[], from: number, base: readonly string[]): number {
  let at = from;
  // The end of a file is in every version.
  while (at + 1 < order.length && !base.includes(order[at + 1] ?? '') && order[at + 1] !== END)
    at += 1;
  return at;
}

/** Key of what follows the last entity of a file. */
export const END = 'end of file';

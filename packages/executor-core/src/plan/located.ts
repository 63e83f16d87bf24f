/** Part of the source text, by offset; `null` when the value was not read from a text. */
export type Span = { readonly offset: number; readonly length: number } | null;

/** `offset` of what was not read from a text. */
export const NOWHERE = -1;

/**
 * What has a place in the source text. The place is two numbers, and a `Span` is made of them when
 * somebody asks, which is hardly ever: a plan of 10,000 tasks has half a million places.
 */
abstract class Place {
  constructor(
    protected readonly offset: number,
    protected readonly length: number,
  ) {}

  protected toSpan(): Span {
    return this.offset < 0 ? null : { offset: this.offset, length: this.length };
  }
}

/** `kind` is no field of the nodes, which would make each of the many larger. */
abstract class Node extends Place {
  /** Where the value is written. */
  get span(): Span {
    return this.toSpan();
  }
}

export class LocatedMap extends Node {
  constructor(
    readonly entries: ReadonlyMap<string, LocatedEntry>,
    offset = NOWHERE,
    length = 0,
  ) {
    super(offset, length);
  }

  get kind(): 'map' {
    return 'map';
  }

  copy(entries: ReadonlyMap<string, LocatedEntry>): LocatedMap {
    return new LocatedMap(entries, this.offset, this.length);
  }
}

export class LocatedList extends Node {
  constructor(
    readonly items: readonly Located[],
    offset = NOWHERE,
    length = 0,
  ) {
    super(offset, length);
  }

  get kind(): 'list' {
    return 'list';
  }

  copy(items: readonly Located[]): LocatedList {
    return new LocatedList(items, this.offset, this.length);
  }
}

export class LocatedScalar extends Node {
  /** @param text the scalar as the author wrote it (`1.10`), without quotes. */
  constructor(
    readonly value: unknown,
    readonly text: string,
    offset = NOWHERE,
    length = 0,
  ) {
    super(offset, length);
  }

  get kind(): 'scalar' {
    return 'scalar';
  }
}

/** A value of the plan with the place where it was written. */
export type Located = LocatedMap | LocatedList | LocatedScalar;

/** The value of a key; `offset` and `length` are those of the key. */
export class LocatedEntry extends Place {
  constructor(
    readonly value: Located,
    offset = NOWHERE,
    length = 0,
  ) {
    super(offset, length);
  }

  /** Where the key is written. */
  get key(): Span {
    return this.toSpan();
  }

  copy(value: Located): LocatedEntry {
    return new LocatedEntry(value, this.offset, this.length);
  }
}

export type Path = readonly PropertyKey[];

/**
 * Gives a JavaScript value the shape of a read plan, without places. A `Map` keeps its order, which an
 * object does not for keys like "10"; cyclic values are cut off.
 */
export function locateValue(value: unknown, depth = 0): Located {
  if (depth > 64) return new LocatedScalar('[too deep]', '[too deep]');
  if (Array.isArray(value)) {
    return new LocatedList(value.map((item) => locateValue(item, depth + 1)));
  }
  if (typeof value === 'object' && value !== null) {
    const members: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : Object.entries(value);
    const entries = members
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [String(key), new LocatedEntry(locateValue(item, depth + 1))] as const);
    return new LocatedMap(new Map(entries));
  }
  return new LocatedScalar(value, String(value));
}

const NO_ITEMS: readonly Located[] = [];
const NO_ENTRIES: readonly (readonly [string, LocatedEntry])[] = [];

/** Entries of a map; nothing for other kinds. */
export function entriesOf(node: Located | null): readonly (readonly [string, LocatedEntry])[] {
  return node?.kind === 'map' ? [...node.entries] : NO_ENTRIES;
}

/** Items of a list; nothing for other kinds. */
export function itemsOf(node: Located | null): readonly Located[] {
  return node?.kind === 'list' ? node.items : NO_ITEMS;
}

/** The value of a map's key, or `null`. */
export function childOf(node: Located | null, key: string): Located | null {
  return node?.kind === 'map' ? (node.entries.get(key)?.value ?? null) : null;
}

/** A copy without the nodes in `removed`. */
export function withoutNodes(node: Located, removed: ReadonlySet<Located>): Located {
  switch (node.kind) {
    case 'scalar':
      return node;
    case 'list': {
      const items = node.items.filter((item) => !removed.has(item));
      return node.copy(items.map((item) => withoutNodes(item, removed)));
    }
    case 'map': {
      const entries = [...node.entries].filter(([, entry]) => !removed.has(entry.value));
      const copies = entries.map(
        ([key, entry]) => [key, entry.copy(withoutNodes(entry.value, removed))] as const,
      );
      return node.copy(new Map(copies));
    }
  }
}

/** The plain value. Maps become objects without a prototype, so no key can reach one. */
export function plainValue(node: Located): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plainValue);
    case 'map': {
      const value = Object.create(null) as Record<string, unknown>;
      for (const [key, entry] of node.entries) value[key] = plainValue(entry.value);
      return value;
    }
  }
}

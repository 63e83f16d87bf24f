/** Part of the source text, by offset; `null` when the value was not read from a text. */
export type Span = { readonly offset: number; readonly length: number } | null;

/** A value of the plan with the place where it was written. */
export type Located =
  | {
      readonly kind: 'map';
      readonly entries: ReadonlyMap<string, LocatedEntry>;
      readonly span: Span;
    }
  | { readonly kind: 'list'; readonly items: readonly Located[]; readonly span: Span }
  | {
      readonly kind: 'scalar';
      readonly value: unknown;
      /** The scalar as the author wrote it (`1.10`), without quotes. */
      readonly text: string;
      readonly span: Span;
    };

export interface LocatedEntry {
  readonly key: Span;
  readonly value: Located;
}

export type Path = readonly PropertyKey[];

/**
 * Gives a JavaScript value the shape of a read plan, without places. A `Map` keeps its order, which an
 * object does not for keys like "10"; cyclic values are cut off.
 */
export function locateValue(value: unknown, depth = 0): Located {
  if (depth > 64) return { kind: 'scalar', value: '[too deep]', text: '[too deep]', span: null };
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item) => locateValue(item, depth + 1)), span: null };
  }
  if (typeof value === 'object' && value !== null) {
    const members: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : Object.entries(value);
    const entries = members
      .filter(([, item]) => item !== undefined)
      .map(
        ([key, item]) => [String(key), { key: null, value: locateValue(item, depth + 1) }] as const,
      );
    return { kind: 'map', entries: new Map(entries), span: null };
  }
  return { kind: 'scalar', value, text: String(value), span: null };
}

/** Entries of a map; nothing for other kinds. */
export function entriesOf(node: Located | null): readonly (readonly [string, LocatedEntry])[] {
  return node?.kind === 'map' ? [...node.entries] : [];
}

/** Items of a list; nothing for other kinds. */
export function itemsOf(node: Located | null): readonly Located[] {
  return node?.kind === 'list' ? node.items : [];
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
      return { ...node, items: items.map((item) => withoutNodes(item, removed)) };
    }
    case 'map': {
      const entries = [...node.entries].filter(([, entry]) => !removed.has(entry.value));
      const copies = entries.map(
        ([key, entry]) => [key, { ...entry, value: withoutNodes(entry.value, removed) }] as const,
      );
      return { ...node, entries: new Map(copies) };
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

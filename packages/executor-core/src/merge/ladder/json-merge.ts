import type { JsonArray, JsonObject, JsonValue } from './json-text';
import { leavesOf, readJson } from './json-text';
import { higherVersion } from './higher-version';
import { lostGains } from './gained-lines';
import { placeAdded } from './place-added';

/** How the merged text is laid out: as the target's. */
interface Layout {
  readonly indent: string;
  readonly eol: string;
  /** What one step of indentation is in the candidate's text. */
  readonly theirIndent: string;
}

interface Context extends Layout {
  readonly isManifest: boolean;
  /** Values of the target that a higher version replaced, as `leavesOf` writes them. */
  readonly replaced: string[];
  /** The keys above, outermost first. */
  readonly path: readonly string[];
}

type Three = readonly [base: JsonValue | undefined, ours: JsonValue, theirs: JsonValue];

export interface JsonMerge {
  readonly text: string;
  /** Values of the target that a higher version of the candidate replaced. */
  readonly replaced: readonly string[];
}

/**
 * Merges three JSON texts by their keys, at every depth. `null` where that is no answer: a text is not
 * strict JSON; both sides changed a value differently, or one removed what the other changed; lists
 * differ. In a `package.json` lists that are sets (`keywords`, `files`, `workspaces`) are merged as
 * sets, and of two versions of one shape the higher one is taken. The layout, final newline and order of keys are the
 * target's; what the candidate added stands behind what stood before it there. `base` is `null` when
 * both sides added the file.
 */
export function mergeJson(
  path: string,
  base: string | null,
  ours: string,
  theirs: string,
): JsonMerge | null {
  const below = base === null ? undefined : readJson(base);
  const [left, right] = [readJson(ours), readJson(theirs)];
  if (below === null || left === null || right === null) return null;
  const context: Context = {
    indent: indentOf(ours) ?? indentOf(theirs) ?? '  ',
    theirIndent: indentOf(theirs) ?? '  ',
    eol: ours.includes('\r\n') ? '\r\n' : '\n',
    isManifest: /(?:^|\/)package\.json$/.test(path),
    replaced: [],
    path: [],
  };
  const value = mergeValue(context, [below, left, right]);
  if (value === null) return null;
  const start = ours.indexOf(left.raw);
  const text = ours.slice(0, start) + value + ours.slice(start + left.raw.length);
  const merged = readJson(text);
  if (merged === null) return null;
  const leaves = (one: JsonValue | undefined): readonly string[] =>
    one === undefined ? [] : leavesOf(one);
  const lost = lostGains(leaves(below), leaves(left), leaves(right), leaves(merged));
  const { replaced } = context;
  return lost.every((leaf) => replaced.includes(leaf)) ? { text, replaced } : null;
}

function mergeValue(context: Context, three: Three): string | null {
  const [base, ours, theirs] = three;
  if (ours.same === theirs.same || base?.same === theirs.same) return ours.raw;
  if (base?.same === ours.same) return foreign(context, theirs);
  if (ours.kind === 'object' && theirs.kind === 'object') {
    if (base !== undefined && base.kind !== 'object') return null;
    return mergeObject(context, base, ours, theirs);
  }
  if (ours.kind === 'array' && theirs.kind === 'array') {
    if (!isSet(context) || (base !== undefined && base.kind !== 'array')) return null;
    return mergeSet(context, base?.items ?? [], ours, theirs);
  }
  return context.isManifest ? mergeVersion(context, three) : null;
}

function mergeObject(
  context: Context,
  base: JsonObject | undefined,
  ours: JsonObject,
  theirs: JsonObject,
): string | null {
  const merged = new Map<string, string>();
  for (const key of new Set([...ours.members.keys(), ...theirs.members.keys()])) {
    const three = [base, ours, theirs].map((side) => side?.members.get(key));
    const value = mergeMember({ ...context, path: [...context.path, key] }, three);
    if (value === null) return null;
    if (value !== 'removed') merged.set(key, value.text);
  }
  const order = placeAdded([...ours.members.keys()], [...theirs.members.keys()]);
  const members = order.flatMap((key) => {
    const value = merged.get(key);
    return value === undefined ? [] : [`${JSON.stringify(key)}: ${value}`];
  });
  return bracket(context, ['{', '}'], members, ours.raw);
}

function mergeMember(
  context: Context,
  [base, ours, theirs]: readonly (JsonValue | undefined)[],
): { readonly text: string } | 'removed' | null {
  if (ours !== undefined && theirs !== undefined) {
    const text = mergeValue(context, [base, ours, theirs]);
    return text === null ? null : { text };
  }
  const left = ours ?? theirs;
  if (left === undefined) return 'removed';
  if (base === undefined) return { text: ours === undefined ? foreign(context, left) : ours.raw };
  return left.same === base.same ? 'removed' : null;
}

const SETS = /^(?:keywords|files|workspaces|workspaces\/packages)$/;

function isSet({ isManifest, path }: Context): boolean {
  return isManifest && SETS.test(path.join('/'));
}

/** An exclusion means something by its place, so lists with one are no sets. */
function mergeSet(
  context: Context,
  base: readonly JsonValue[],
  ours: JsonArray,
  theirs: JsonArray,
): string | null {
  const all = [...base, ...ours.items, ...theirs.items];
  if (!all.every(({ kind, same }) => kind === 'scalar' && !same.startsWith('"!'))) return null;
  const removed = (side: JsonArray, item: string): boolean =>
    base.some(({ same }) => same === item) && !side.items.some(({ same }) => same === item);
  const names = (items: readonly JsonValue[]): readonly string[] => items.map(({ same }) => same);
  const order = placeAdded(names(ours.items), names(theirs.items));
  const kept = order.filter((item) => !removed(ours, item) && !removed(theirs, item));
  return bracket(context, ['[', ']'], kept, ours.raw);
}

/** Where versions stand in a `package.json`. */
const VERSIONS =
  /^(?:version|packageManager|(?:(?:dev|peer|optional)?[dD]ependencies|engines|resolutions|overrides)\/[^\0]*)$/;

function mergeVersion({ path, replaced }: Context, [, ours, theirs]: Three): string | null {
  if (!VERSIONS.test(path.join('/')) || ours.kind !== 'scalar' || theirs.kind !== 'scalar') {
    return null;
  }
  const higher = higherVersion(ours.same, theirs.same);
  if (higher === 'theirs') {
    const keys = path.map((key) => `/${JSON.stringify(key)}`).join('');
    replaced.push(`${keys} = ${ours.same}`);
  }
  return higher === null ? null : higher === 'ours' ? ours.raw : theirs.raw;
}

/** A list of members or items at the depth of `path`: on lines of their own where the target's is. */
function bracket(
  { indent, eol, path }: Context,
  [open, close]: readonly [string, string],
  items: readonly string[],
  like: string,
): string {
  if (items.length === 0) return open + close;
  const isFlat = !like.includes('\n') && like.replace(/\s/g, '').length > 2;
  if (isFlat) {
    const gap = /^.\s/.test(like) ? ' ' : '';
    return `${open}${gap}${items.join(', ')}${gap}${close}`;
  }
  const inner = eol + indent.repeat(path.length + 1);
  return `${open}${inner}${items.join(`,${inner}`)}${eol}${indent.repeat(path.length)}${close}`;
}

/** What the candidate wrote, in the layout of the target. */
function foreign({ indent, theirIndent, eol }: Layout, { raw }: JsonValue): string {
  const lines = raw.split(/\r?\n/);
  if (indent === theirIndent) return lines.join(eol);
  const steps = (line: string): number =>
    Math.floor((/^[ \t]*/.exec(line)?.[0].length ?? 0) / theirIndent.length);
  return lines
    .map((line, at) => (at === 0 ? line : indent.repeat(steps(line)) + line.trimStart()))
    .join(eol);
}

/** The indentation of the first line that has one. */
function indentOf(text: string): string | null {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? null;
}

import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
} from 'yaml';
import {
  LocatedEntry,
  LocatedList,
  LocatedMap,
  LocatedScalar,
  NOWHERE,
  type Located,
  type Span,
} from './located';
import { tooDeepAt } from './nesting';
import type { Report } from './report';

const MAX_DEPTH = 100;
/** Values a plan may have after its aliases are followed: more is a mistake, or a bomb. */
const MAX_EXPANDED = 2_000_000;

/**
 * Reads YAML (or JSON, which is YAML) into values with their places. Every problem of syntax is
 * reported; aliases are followed within a limit.
 *
 * @returns `null` when something was reported that leaves nothing to check.
 */
export function readYaml(text: string, report: Report): Located | null {
  const depth = tooDeepAt(text);
  if (depth !== null) {
    report.error('too-deep', { offset: depth, length: 1 }, TOO_DEEP);
    return null;
  }
  const document = parseSafely(text, report);
  if (document === null) return null;
  for (const problem of [...document.errors, ...document.warnings])
    reportYaml(problem, text, report);
  if (report.errors > 0) return null;
  if (document.contents === null || isEmptyScalar(document.contents)) {
    report.error('empty-plan', { offset: 0, length: 0 }, 'The plan is empty.', EMPTY_FIX);
    return null;
  }
  const reader = new Reader(text, report);
  const root = reader.read(document.contents, 0).located;
  if (root.kind !== 'map') {
    report.error(
      'not-a-mapping',
      root.span,
      `The plan is ${nameKind(root)}, not a mapping.`,
      EMPTY_FIX,
    );
    return null;
  }
  return reader.isUsable ? root : null;
}

const TOO_DEEP = 'The plan is nested too deeply.';
const EMPTY_FIX = 'Start with "tasks:" and one entry for each task.';

/** yaml recurses into nested collections; a text that exhausts the stack is a bad plan, not a bug. */
function parseSafely(text: string, report: Report): Document.Parsed | null {
  try {
    return parseDocument(text, {
      uniqueKeys: false,
      prettyErrors: false,
      strict: true,
    });
  } catch {
    report.error('yaml-syntax', { offset: 0, length: 1 }, 'The plan cannot be read as YAML.');
    return null;
  }
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === '';
}

function nameKind(node: Located): string {
  if (node.kind !== 'scalar') return 'a list';
  return node.value === null ? 'empty' : 'a single value';
}

function reportYaml(problem: YAMLError, text: string, report: Report): void {
  const [from, to] = problem.pos;
  const span = { offset: from, length: Math.max(1, to - from) };
  const line = text.slice(text.lastIndexOf('\n', from - 1) + 1).split('\n', 1)[0] ?? '';
  if (problem.code === 'MULTIPLE_DOCS') {
    report.error(
      'multiple-documents',
      span,
      'The file holds more than one YAML document.',
      'Keep one plan in a file: remove the "---" and what follows.',
    );
  } else if (problem.code === 'TAG_RESOLVE_FAILED') {
    report.error(
      'yaml-tag',
      span,
      `YAML reads this "!" as a tag: ${problem.message}.`,
      'Put quotes around a value that starts with "!".',
    );
  } else report.error('yaml-syntax', span, problem.message, quoteHint(line));
}

function quoteHint(line: string): string | null {
  if (line.includes('\t')) return 'Indent with spaces, not tabs.';
  return /[*&!%@`{[]/.test(line)
    ? 'Put quotes around values that hold * & ! { [ % @ or `, such as "*.ts".'
    : null;
}

interface Read {
  readonly located: Located;
  /** Number of values in it, aliases followed. */
  readonly size: number;
}

/** Walks the document once, in order, so that every anchor is known before its aliases. */
class Reader {
  /** `false` once the document cannot be checked further: too deep, too large, dangling aliases. */
  isUsable = true;
  private readonly anchors = new Map<string, Read>();

  constructor(
    private readonly text: string,
    private readonly report: Report,
  ) {}

  /** @param near the place of what has none of its own. */
  read(node: unknown, depth: number, near: Span = null): Read {
    const span = this.spanOf(node) ?? near;
    if (isAlias(node)) return this.readAlias(node.source, span);
    if (depth > MAX_DEPTH) {
      if (this.isUsable) this.report.error('too-deep', span, TOO_DEEP);
      this.isUsable = false;
      return emptyScalar(span);
    }
    const read = this.readValue(node, span, depth);
    if (isNode(node) && 'anchor' in node && node.anchor !== undefined)
      this.anchors.set(node.anchor, read);
    return read;
  }

  private readValue(node: unknown, span: Span, depth: number): Read {
    if (isMap(node)) return this.readMap(node.items, span, depth);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.read(item, depth + 1, span));
      return this.limited({
        located: new LocatedList(
          items.map((item) => item.located),
          ...placeOf(span),
        ),
        size: items.reduce((sum, item) => sum + item.size, 1),
      });
    }
    if (!isScalar(node)) return emptyScalar(span);
    const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    const value = typeof node.value === 'bigint' ? Number(node.value) : node.value;
    return { located: new LocatedScalar(value, text, ...placeOf(span)), size: 1 };
  }

  private readMap(pairs: readonly unknown[], span: Span, depth: number): Read {
    const entries = new Map<string, LocatedEntry>();
    let size = 1;
    for (const pair of pairs) {
      if (!isPair(pair)) continue;
      const key = this.readKey(pair);
      const value = this.read(pair.value, depth + 1);
      size += value.size + 1;
      if (key === null || !this.isNewKey(key, entries)) continue;
      const { located } = value;
      const isEmpty = located.kind === 'scalar' && (located.span?.length ?? 0) === 0;
      const placed = isEmpty
        ? new LocatedScalar(located.value, located.text, ...placeOf(key.span))
        : located;
      entries.set(key.name, new LocatedEntry(placed, ...placeOf(key.span)));
    }
    return this.limited({ located: new LocatedMap(entries, ...placeOf(span)), size });
  }

  private readKey(pair: Pair): { readonly name: string; readonly span: Span } | null {
    const { key } = pair;
    const span = this.spanOf(key);
    if (isScalar(key)) {
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      return { name, span };
    }
    const what = isAlias(key) ? 'an alias' : 'a collection';
    this.report.error(
      'bad-key',
      span,
      `A key must be plain text; this is ${what}.`,
      'Put quotes around it.',
    );
    return null;
  }

  private isNewKey(
    key: { readonly name: string; readonly span: Span },
    entries: ReadonlyMap<string, LocatedEntry>,
  ): boolean {
    if (Object.hasOwn(Object.prototype, key.name)) {
      this.report.error(
        'bad-id',
        key.span,
        `${JSON.stringify(key.name)} cannot be used as a name.`,
        'Choose another name.',
      );
      return false;
    }
    if (!entries.has(key.name)) return true;
    this.report.error(
      'duplicate-key',
      key.span,
      `The key ${JSON.stringify(key.name)} is given twice.`,
      'Remove one of the two, or merge them.',
    );
    return false;
  }

  private readAlias(name: string, span: Span): Read {
    const target = this.anchors.get(name);
    if (target !== undefined) return this.limited(target);
    this.isUsable = false;
    this.report.error(
      'unknown-alias',
      span,
      `YAML reads *${name} as a reference, and nothing before it is called &${name}.`,
      `Put quotes around it if it is a glob: "*${name}".`,
    );
    return emptyScalar(span);
  }

  private limited(read: Read): Read {
    if (read.size <= MAX_EXPANDED) return read;
    if (this.isUsable) {
      this.report.error(
        'alias-limit',
        read.located.span,
        'The aliases of this plan unfold into too many values.',
        'Write the values out, or share fewer of them.',
      );
    }
    this.isUsable = false;
    return emptyScalar(read.located.span);
  }

  /** The node's own text; what is left empty (`key:`) is a place without length. */
  private spanOf(node: unknown): Span {
    const range = isNode(node) ? (node as Node).range : null;
    if (range === null || range === undefined) return null;
    if (range[1] <= range[0]) return { offset: range[0], length: 0 };
    const firstLine = this.text.slice(range[0], range[1]).split(/[\r\n]/, 1)[0] ?? '';
    return { offset: range[0], length: Math.max(1, firstLine.trimEnd().length) };
  }
}

function emptyScalar(span: Span): Read {
  return { located: new LocatedScalar(null, '', ...placeOf(span)), size: 1 };
}

function placeOf(span: Span): readonly [offset: number, length: number] {
  return span === null ? [NOWHERE, 0] : [span.offset, span.length];
}

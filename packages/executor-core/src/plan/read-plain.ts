import { LocatedEntry, LocatedList, LocatedMap, LocatedScalar, type Located } from './located';
import { isReserved, readFlow, readScalar } from './read-plain-value';

/** What the quick reader leaves to the full one: tabs, carriage returns, controls, unusual breaks. */
const UNUSUAL = /[^\n\x20-\x7e\u00a1-\u2027\u202a-\ufefe]/;
const KEY = /(?:[A-Za-z_][\w.-]*|\d+):(?= |\n|$)/y;

/** Thrown inside the quick reader where it gives up; never leaves it. */
class Beyond extends Error {}

/**
 * Reads the plain part of YAML that nearly every plan is written in: block mappings with simple keys,
 * block lists, scalars and flow collections on one line, literal blocks, comments. It gives exactly what
 * the full reader gives, several times faster, which is what a plan of 10,000 tasks needs.
 *
 * @returns `null` for anything else, mistakes included: the full reader tells what it is.
 */
export function readPlain(text: string): Located | null {
  if (UNUSUAL.test(text)) return null;
  try {
    return new PlainReader(text).document();
  } catch (error) {
    if (error instanceof Beyond) return null;
    throw error;
  }
}

/** Recursive descent over lines; `at` always stands at the start of a line between values. */
class PlainReader {
  private at = 0;
  /** Which key came after which one in a mapping before: entries of a plan mostly are alike. */
  private readonly follower = new Map<string, string>();

  constructor(private readonly text: string) {}

  document(): Located {
    const root = this.block(0, 0);
    if (root?.kind !== 'map' || this.at < this.text.length) throw new Beyond();
    return root;
  }

  /** The map or list on the lines that follow, indented by `least` or more; `null` when there is none. */
  private block(least: number, depth: number): Located | null {
    const indent = this.nextIndent();
    if (indent < least || depth > 50) return null;
    return this.isItem(indent) ? this.list(indent, depth) : this.map(indent, depth);
  }

  /** Skips blank lines and comments. The indentation of what follows; -1 at the end. */
  private nextIndent(): number {
    for (;;) {
      const first = this.skipSpaces(this.at);
      const next = this.text.charCodeAt(first);
      if (first >= this.text.length) {
        this.at = first;
        return -1;
      }
      if (next !== LINE_FEED && next !== HASH) return first - this.at;
      this.at = Math.min(this.text.length, this.lineEnd(first) + 1);
    }
  }

  private isItem(indent: number): boolean {
    const at = this.at + indent;
    const next = this.text.charCodeAt(at + 1);
    return this.text.charCodeAt(at) === DASH && (next === SPACE || next === LINE_FEED);
  }

  private map(indent: number, depth: number): Located {
    const [start, length] = [this.at + indent, this.lineLength(this.at + indent)];
    const entries = new Map<string, LocatedEntry>();
    for (let last = ''; ;) {
      const from = this.at + indent;
      const name = this.likelyName(from, last) ?? this.name(from, last, depth);
      if (entries.has(name)) throw new Beyond();
      last = name;
      const given = this.valueAfter(from + name.length + 1, indent, depth);
      // What is left empty is at its key.
      const value = given ?? new LocatedScalar(null, '', from, name.length);
      entries.set(name, new LocatedEntry(value, from, name.length));
      const next = this.nextIndent();
      if (next < indent) return new LocatedMap(entries, start, length);
      if (next > indent) throw new Beyond();
    }
  }

  /** The key that came after `last` the last time, if it stands here too. */
  private likelyName(from: number, last: string): string | null {
    const name = this.follower.get(last);
    if (name === undefined || !this.text.startsWith(name, from)) return null;
    const colon = from + name.length;
    const next = this.text.charCodeAt(colon + 1);
    const isKey = this.text.charCodeAt(colon) === COLON && (next === SPACE || next === LINE_FEED);
    return isKey ? name : null;
  }

  private name(from: number, last: string, depth: number): string {
    KEY.lastIndex = from;
    if (!KEY.test(this.text)) throw new Beyond();
    const name = this.text.slice(from, KEY.lastIndex - 1);
    if (isReserved(name)) throw new Beyond();
    // The sections of a plan and the names in them do not come again.
    if (depth > 1) this.follower.set(last, name);
    return name;
  }

  private list(indent: number, depth: number): Located {
    const [start, length] = [this.at + indent, this.lineLength(this.at + indent)];
    const items: Located[] = [];
    for (;;) {
      if (!this.isItem(indent)) throw new Beyond();
      const from = this.skipSpaces(this.at + indent + 1);
      KEY.lastIndex = from;
      // A mapping in a list (`- id: x`) is rare in a plan, and has an indentation of its own.
      if (KEY.test(this.text) || depth > 50) throw new Beyond();
      items.push(this.lineValue(from, indent));
      const next = this.nextIndent();
      const isOver = next < indent || (next === indent && !this.isItem(indent));
      // The copy is as long as it has to be; what `push` makes has room for 16 more.
      if (isOver) return new LocatedList(items.slice(), start, length);
      if (next > indent) throw new Beyond();
    }
  }

  /** The value of a key, on its line or on those below; `null` when there is none. */
  private valueAfter(colon: number, indent: number, depth: number): Located | null {
    const from = this.skipSpaces(colon);
    if (from < this.text.length && this.text.charCodeAt(from) !== LINE_FEED) {
      return this.lineValue(from, indent);
    }
    this.at = Math.min(this.text.length, from + 1);
    const below = this.nextIndent();
    if (below === indent && this.isItem(indent)) return this.list(indent, depth + 1);
    return this.block(indent + 1, depth + 1);
  }

  /** A value that is written on this line; afterwards `at` is at the next one. */
  private lineValue(from: number, indent: number): Located {
    const end = this.lineEnd(from);
    if (this.text.charCodeAt(from) === BAR) return this.literal(from, end, indent);
    const flow = readFlow(this.text, from, end) ?? readScalar(this.text, from, end);
    if (flow === null) throw new Beyond();
    this.at = Math.min(this.text.length, end + 1);
    // Whatever is indented below a value on a line would belong to it.
    if (this.nextIndent() > indent) throw new Beyond();
    return flow;
  }

  /** `|` or `|-` and the lines below it, which are indented as the first of them is. */
  private literal(from: number, end: number, indent: number): Located {
    const header = this.text.slice(from, end);
    if (header !== '|' && header !== '|-') throw new Beyond();
    this.at = end + 1;
    const lines: string[] = [];
    let inner = -1;
    while (this.at < this.text.length) {
      const stop = this.text.indexOf('\n', this.at);
      // A last line without a line break is chomped in its own way.
      if (stop < 0) throw new Beyond();
      const line = this.text.slice(this.at, stop);
      const first = line.search(/[^ ]/);
      if (first < 0 && (inner < 0 || line.length > inner)) throw new Beyond();
      if (first >= 0 && inner < 0) inner = first;
      if (first >= 0 && first < inner) break;
      if (inner <= indent) throw new Beyond();
      lines.push(line.slice(inner));
      this.at = stop + 1;
    }
    while (lines.at(-1) === '') lines.pop();
    if (lines.length === 0 || this.nextIndent() > indent) throw new Beyond();
    const value = lines.join('\n') + (header === '|' ? '\n' : '');
    return new LocatedScalar(value, value, from, header.length);
  }

  private skipSpaces(from: number): number {
    let at = from;
    while (this.text.charCodeAt(at) === SPACE) at += 1;
    return at;
  }

  private lineEnd(from: number): number {
    const stop = this.text.indexOf('\n', from);
    return stop < 0 ? this.text.length : stop;
  }

  /** A block's place is its first line, comment and all. */
  private lineLength(offset: number): number {
    const end = this.lineEnd(offset);
    const last = this.text.charCodeAt(end - 1);
    if (last !== SPACE && last < 0x7f) return end - offset;
    return this.text.slice(offset, end).trimEnd().length;
  }
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const HASH = 0x23;
const DASH = 0x2d;
const COLON = 0x3a;
const BAR = 0x7c;

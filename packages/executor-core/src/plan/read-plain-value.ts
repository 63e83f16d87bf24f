import { LocatedEntry, LocatedList, LocatedMap, LocatedScalar, type Located } from './located';

const QUOTED = /'[^'\n]*'|"[^"\\\n]*"/y;
const REST = /^ *(?: #.*)?$/;
/** A first character that cannot start anything but a plain scalar. */
const PLAIN_START = /^[A-Za-z0-9_./$(+]/;
const NUMBER = /^(?:0|[1-9]\d{0,14}|\d{1,9}\.\d{1,6})$/;
/** What the core schema may take for something else than text. */
const NUMBER_LIKE = /^[-+]?(?:\d|\.\d)[\dxoa-f_.]*(?:e[-+]?\d+)?$|^[-+]?\.(?:inf|nan)$/i;
const WORD_LIKE = /^(?:null|true|false)$/i;

const RESERVED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** `true` for the names that every object has: the full reader tells that they cannot be keys. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}

/**
 * A scalar in block context that ends with the line (`end`), comments aside.
 *
 * @returns `null` where the full reader has to look.
 */
export function readScalar(text: string, from: number, end: number): Located | null {
  const quoted = quotedAt(text, from, end);
  if (quoted !== null) {
    return REST.test(text.slice(from + quoted.length + 2, end)) ? quotedScalar(quoted, from) : null;
  }
  const line = text.slice(from, end);
  const comment = line.indexOf(' #');
  const plain = (comment < 0 ? line : line.slice(0, comment)).trimEnd();
  if (!PLAIN_START.test(plain) || plain.includes(': ') || plain.endsWith(':')) return null;
  return plainScalar(plain, from);
}

/** A flow list or mapping that ends with the line, comments aside; `null` as for `readScalar`. */
export function readFlow(text: string, from: number, end: number): Located | null {
  const opening = text.charCodeAt(from);
  if (opening !== OPEN_LIST && opening !== OPEN_MAP) return null;
  const reader = new FlowReader(text, from, end);
  const located = reader.collection(0);
  if (located === null || reader.at === end) return located;
  return REST.test(text.slice(reader.at, end)) ? located : null;
}

const FLOW_PLAIN = /[A-Za-z0-9_./$(][^,[\]{}:#\n"'`&!|>%]*/y;
const FLOW_KEY = /[A-Za-z_][\w.-]*:(?= )/y;

const SPACE = 0x20;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;
const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;

class FlowReader {
  constructor(
    private readonly text: string,
    public at: number,
    private readonly end: number,
  ) {}

  collection(depth: number): Located | null {
    const from = this.at;
    this.at += 1;
    if (this.text.charCodeAt(from) === OPEN_LIST) {
      const items: Located[] = [];
      const isRead = this.members(CLOSE_LIST, () => this.item(items, depth));
      // As in the block reader, without the room that `push` made.
      return isRead ? new LocatedList(items.slice(), from, this.at - from) : null;
    }
    const entries = new Map<string, LocatedEntry>();
    const isRead = this.members(CLOSE_MAP, () => this.entry(entries, depth));
    return isRead ? new LocatedMap(entries, from, this.at - from) : null;
  }

  private members(closing: number, read: () => boolean): boolean {
    for (let isFirst = true; ; isFirst = false) {
      this.skipSpaces();
      if (this.at >= this.end) return false;
      const next = this.text.charCodeAt(this.at);
      if (next === closing) {
        this.at += 1;
        return true;
      }
      if (!isFirst) {
        if (next !== COMMA) return false;
        this.at += 1;
        this.skipSpaces();
      }
      if (!read()) return false;
    }
  }

  private item(items: Located[], depth: number): boolean {
    const value = this.value(depth);
    if (value !== null) items.push(value);
    return value !== null;
  }

  private entry(entries: Map<string, LocatedEntry>, depth: number): boolean {
    const from = this.at;
    FLOW_KEY.lastIndex = from;
    if (!FLOW_KEY.test(this.text)) return false;
    const name = this.text.slice(from, FLOW_KEY.lastIndex - 1);
    if (entries.has(name) || isReserved(name)) return false;
    this.at = FLOW_KEY.lastIndex;
    this.skipSpaces();
    const value = this.value(depth);
    if (value !== null) entries.set(name, new LocatedEntry(value, from, name.length));
    return value !== null;
  }

  private value(depth: number): Located | null {
    const from = this.at;
    const opening = this.text.charCodeAt(from);
    if (opening === OPEN_LIST || opening === OPEN_MAP) {
      return depth > 20 ? null : this.collection(depth + 1);
    }
    const quoted = quotedAt(this.text, from, this.end);
    if (quoted !== null) {
      this.at += quoted.length + 2;
      return quotedScalar(quoted, from);
    }
    FLOW_PLAIN.lastIndex = from;
    if (!FLOW_PLAIN.test(this.text)) return null;
    const plain = this.text.slice(from, FLOW_PLAIN.lastIndex).trimEnd();
    this.at += plain.length;
    return plainScalar(plain, from);
  }

  private skipSpaces(): void {
    while (this.text.charCodeAt(this.at) === SPACE) this.at += 1;
  }
}

/** What stands between the quotes that open at `from`; `null` when none do, or not simply. */
function quotedAt(text: string, from: number, end: number): string | null {
  const opening = text.charCodeAt(from);
  if (opening !== SINGLE_QUOTE && opening !== DOUBLE_QUOTE) return null;
  QUOTED.lastIndex = from;
  if (!QUOTED.test(text)) return null;
  const stop = QUOTED.lastIndex;
  // Two quotes in a row stand for one in single quotes.
  return stop > end || text.charCodeAt(stop) === opening ? null : text.slice(from + 1, stop - 1);
}

function quotedScalar(value: string, from: number): Located {
  return new LocatedScalar(value, value, from, value.length + 2);
}

function plainScalar(plain: string, offset: number): Located | null {
  const value = isTextByItsStart(plain) ? plain : plainValue(plain);
  return value === undefined ? null : new LocatedScalar(value, plain, offset, plain.length);
}

/** `true` for what begins with a letter, and not with one of `null`, `true` or `false`. */
function isTextByItsStart(plain: string): boolean {
  const letter = plain.charCodeAt(0) | 0x20;
  return letter > 0x60 && letter < 0x7b && letter !== 0x66 && letter !== 0x6e && letter !== 0x74;
}

/** The value of a plain scalar by the core schema; `undefined` where the full reader has to look. */
function plainValue(plain: string): string | number | boolean | null | undefined {
  if (NUMBER.test(plain)) return Number(plain);
  if (NUMBER_LIKE.test(plain)) return undefined;
  if (!WORD_LIKE.test(plain)) return plain;
  if (plain === 'null') return null;
  return plain === 'true' || plain === 'false' ? plain === 'true' : undefined;
}

import type { Located, LocatedEntry } from './located';

const QUOTED = /'[^'\n]*'|"[^"\\\n]*"/y;
const REST = /^ *(?: #.*)?$/;
/** A first character that cannot start anything but a plain scalar. */
const PLAIN_START = /^[A-Za-z0-9_./$(+]/;
const NUMBER = /^(?:0|[1-9]\d{0,14}|\d{1,9}\.\d{1,6})$/;
/** What the core schema may take for something else than text. */
const NUMBER_LIKE = /^[-+]?(?:\d|\.\d)[\dxoa-f_.]*(?:e[-+]?\d+)?$|^[-+]?\.(?:inf|nan)$/i;
const WORD_LIKE = /^(?:null|true|false)$/i;

/**
 * A scalar in block context that ends with the line (`end`), comments aside.
 *
 * @returns `null` where the full reader has to look.
 */
export function readScalar(text: string, from: number, end: number): Located | null {
  const quoted = quotedAt(text, from, end);
  if (quoted !== null) {
    return REST.test(text.slice(quoted.end, end)) ? quoted.located : null;
  }
  const line = text.slice(from, end);
  const comment = line.indexOf(' #');
  const plain = (comment < 0 ? line : line.slice(0, comment)).trimEnd();
  if (!PLAIN_START.test(plain) || plain.includes(': ') || plain.endsWith(':')) return null;
  return plainScalar(plain, from);
}

/** A flow list or mapping that ends with the line, comments aside; `null` as for `readScalar`. */
export function readFlow(text: string, from: number, end: number): Located | null {
  const opening = text[from];
  if (opening !== '[' && opening !== '{') return null;
  const reader = new FlowReader(text, from, end);
  const located = reader.collection(0);
  return located !== null && REST.test(text.slice(reader.at, end)) ? located : null;
}

const FLOW_PLAIN = /[A-Za-z0-9_./$(][^,[\]{}:#\n"'`&!|>%]*/y;
const FLOW_KEY = /([A-Za-z_][\w.-]*):(?= )/y;

class FlowReader {
  constructor(
    private readonly text: string,
    public at: number,
    private readonly end: number,
  ) {}

  collection(depth: number): Located | null {
    const from = this.at;
    const isList = this.text[from] === '[';
    const items: Located[] = [];
    const entries = new Map<string, LocatedEntry>();
    this.at += 1;
    for (let isFirst = true; ; isFirst = false) {
      this.skipSpaces();
      if (this.at >= this.end) return null;
      if (this.text[this.at] === (isList ? ']' : '}')) {
        this.at += 1;
        const span = { offset: from, length: this.at - from };
        return isList ? { kind: 'list', items, span } : { kind: 'map', entries, span };
      }
      if (!isFirst && !this.take(',')) return null;
      if (!isFirst) this.skipSpaces();
      const isRead = isList ? this.item(items, depth) : this.entry(entries, depth);
      if (!isRead) return null;
    }
  }

  private item(items: Located[], depth: number): boolean {
    const value = this.value(depth);
    if (value !== null) items.push(value);
    return value !== null;
  }

  private entry(entries: Map<string, LocatedEntry>, depth: number): boolean {
    FLOW_KEY.lastIndex = this.at;
    const name = FLOW_KEY.exec(this.text)?.[1];
    if (name === undefined || entries.has(name) || name in Object.prototype) return false;
    const key = { offset: this.at, length: name.length };
    this.at += name.length + 1;
    this.skipSpaces();
    const value = this.value(depth);
    if (value !== null) entries.set(name, { key, value });
    return value !== null;
  }

  private value(depth: number): Located | null {
    const opening = this.text[this.at];
    if (opening === '[' || opening === '{') return depth > 20 ? null : this.collection(depth + 1);
    const quoted = quotedAt(this.text, this.at, this.end);
    if (quoted !== null) {
      this.at = quoted.end;
      return quoted.located;
    }
    FLOW_PLAIN.lastIndex = this.at;
    const plain = FLOW_PLAIN.exec(this.text)?.[0].trimEnd() ?? '';
    const located = plain === '' ? null : plainScalar(plain, this.at);
    this.at += plain.length;
    return located;
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  private skipSpaces(): void {
    while (this.text[this.at] === ' ') this.at += 1;
  }
}

function quotedAt(
  text: string,
  from: number,
  end: number,
): { readonly located: Located; readonly end: number } | null {
  QUOTED.lastIndex = from;
  const quoted = QUOTED.exec(text)?.[0];
  if (quoted === undefined || from + quoted.length > end) return null;
  // Two quotes in a row stand for one in single quotes.
  if (text[from + quoted.length] === quoted[0]) return null;
  const value = quoted.slice(1, -1);
  const span = { offset: from, length: quoted.length };
  return {
    located: { kind: 'scalar', value, text: value, span },
    end: from + quoted.length,
  };
}

function plainScalar(plain: string, offset: number): Located | null {
  const span = { offset, length: plain.length };
  if (NUMBER.test(plain)) return { kind: 'scalar', value: Number(plain), text: plain, span };
  if (NUMBER_LIKE.test(plain)) return null;
  if (!WORD_LIKE.test(plain)) return { kind: 'scalar', value: plain, text: plain, span };
  if (plain === 'null') return { kind: 'scalar', value: null, text: plain, span };
  if (plain === 'true' || plain === 'false') {
    return { kind: 'scalar', value: plain === 'true', text: plain, span };
  }
  return null;
}

/** A JSON value with its source text, so that what nobody changed is written as it was. */
export type JsonValue = JsonObject | JsonArray | JsonScalar;

export interface JsonObject {
  readonly kind: 'object';
  readonly raw: string;
  /** Equal for equal values, whatever their layout and the order of keys. */
  readonly same: string;
  /** In the order of the text. Keys are decoded. */
  readonly members: ReadonlyMap<string, JsonValue>;
}

export interface JsonArray {
  readonly kind: 'array';
  readonly raw: string;
  readonly same: string;
  readonly items: readonly JsonValue[];
}

interface JsonScalar {
  readonly kind: 'scalar';
  readonly raw: string;
  readonly same: string;
}

/** Deeper ones are nobody's configuration. */
const MAX_DEPTH = 100;
const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const WORD = /[^,\]}\s]+/y;

/**
 * Reads strict JSON. `null` for anything else: comments, a byte order mark, one key twice in an object
 * (what it means is not settled), and values nested more than 100 deep.
 */
export function readJson(text: string): JsonValue | null {
  try {
    JSON.parse(text);
    return new Reader(text).value(0);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Walks over a text that `JSON.parse` has accepted. */
class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new SyntaxError('nested too deep');
    this.take(SPACE);
    const start = this.at;
    const opened = this.text[start];
    if (opened === '{') return this.object(start, depth);
    if (opened === '[') return this.array(start, depth);
    const raw = this.take(opened === '"' ? STRING : WORD);
    return { kind: 'scalar', raw, same: opened === '"' ? JSON.stringify(JSON.parse(raw)) : raw };
  }

  private object(start: number, depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.list('}', () => {
      const key = String(JSON.parse(this.take(STRING)));
      this.take(SPACE);
      this.at += 1;
      if (members.has(key)) throw new SyntaxError('a key occurs twice');
      members.set(key, this.value(depth + 1));
    });
    const pairs = [...members].map(([key, { same }]) => `${JSON.stringify(key)}:${same}`);
    const same = `{${pairs.sort().join(',')}}`;
    return { kind: 'object', raw: this.text.slice(start, this.at), same, members };
  }

  private array(start: number, depth: number): JsonArray {
    const items: JsonValue[] = [];
    this.list(']', () => items.push(this.value(depth + 1)));
    const same = `[${items.map((item) => item.same).join(',')}]`;
    return { kind: 'array', raw: this.text.slice(start, this.at), same, items };
  }

  private list(end: string, readOne: () => void): void {
    this.at += 1;
    this.take(SPACE);
    while (this.text[this.at] !== end) {
      readOne();
      this.take(SPACE);
      if (this.text[this.at] === ',') this.at += 1;
      this.take(SPACE);
    }
    this.at += 1;
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}

/** Every leaf of a value as one line, `path = value`; of a list the items, without their places. */
export function leavesOf(value: JsonValue, path = ''): readonly string[] {
  switch (value.kind) {
    case 'scalar':
      return [`${path} = ${value.same}`];
    case 'array':
      return value.items.map((item) => `${path}[] = ${item.same}`);
    case 'object':
      return [...value.members].flatMap(([key, member]) =>
        leavesOf(member, `${path}/${JSON.stringify(key)}`),
      );
  }
}

/** The text of `bytes` (one per character); `null` when they are no UTF-8. */
export function asUtf8(bytes: string): string | null {
  const buffer = Buffer.from(bytes, 'latin1');
  const text = buffer.toString('utf8');
  return Buffer.from(text, 'utf8').equals(buffer) ? text : null;
}

import type { FindSecrets, Span } from './find-secrets';
import { secretFinder } from './find-secrets';

/** What stands where a secret stood. */
export const REDACTED = '[redacted]';

/** Takes secrets out of what leaves a run: logs, journal, reports, terminal, commits. */
export interface Redactor {
  /** `text` with every secret replaced. Done again, it changes nothing. */
  text(text: string): string;
  /** A redactor of bytes that arrive in pieces; a secret may be cut anywhere. */
  stream(): RedactionStream;
}

export interface RedactionStream {
  /** What can be told so far: whole lines, and of a line without end all but its last part. */
  push(chunk: Buffer): Buffer;
  /** The rest. */
  end(): Buffer;
}

/** A line that has not ended is kept back up to this many bytes; so is a private key. */
const MOST_HELD = 64 * 1024;
/** Of a longer line this much, at its end, waits for what follows: no secret we know is longer. */
const OVERLAP = 16 * 1024;
const KEY_BEGINS = /^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/;
const INSIDE_A_SECRET = /^[A-Za-z0-9_+/=.~-]*/;

/**
 * A redactor for these values (see `secretValues`) and for the formats of `secret-formats`. Takes time
 * linear in the text and holds at most 64 KiB of a stream. Bytes that are not UTF-8 pass as they are.
 */
export function createRedactor(values: readonly string[] = []): Redactor {
  let find: FindSecrets | null = null;
  const asBytes = (): readonly string[] =>
    values.map((value) => Buffer.from(value).toString('latin1'));
  return {
    text: (text) => replace(text, (find ??= secretFinder(values))(text)),
    stream: () => new ByteStream(secretFinder(asBytes())),
  };
}

class ByteStream implements RedactionStream {
  private held = '';
  /** What was told last was the beginning of a secret: the rest of it follows. */
  private inside = false;

  constructor(private readonly find: FindSecrets) {}

  push(chunk: Buffer): Buffer {
    let fresh = chunk.toString('latin1');
    if (this.inside) {
      const rest = INSIDE_A_SECRET.exec(fresh)?.[0].length ?? 0;
      this.inside = rest === fresh.length;
      fresh = fresh.slice(rest);
    }
    this.held += fresh;
    if (fresh.includes('\n')) return this.tell(this.settled());
    return this.held.length > MOST_HELD ? this.cutLongLine() : Buffer.alloc(0);
  }

  end(): Buffer {
    return this.tell(this.held.length);
  }

  /** End of the last whole line, or the start of a private key that has not ended. */
  private settled(): number {
    const end = this.held.lastIndexOf('\n') + 1;
    const begun = unfinishedKey(this.held.slice(0, end));
    const waits = begun !== null && this.held.length - begun <= MOST_HELD;
    return waits ? Math.min(end, begun) : end;
  }

  private tell(cut: number): Buffer {
    const text = this.held.slice(0, cut);
    this.held = this.held.slice(cut);
    return Buffer.from(replace(text, this.find(text)), 'latin1');
  }

  private cutLongLine(): Buffer {
    const { held } = this;
    const spans = this.find(held);
    let cut = held.length - OVERLAP;
    const across = spans.find(({ start, end }) => start < cut && end > cut);
    if (across !== undefined) cut = across.end;
    this.inside = across !== undefined && across.end === held.length;
    this.held = held.slice(cut);
    const told = replace(
      held.slice(0, cut),
      spans.filter(({ end }) => end <= cut),
    );
    return Buffer.from(told, 'latin1');
  }
}

/** Where a private key begins that has not ended; `null` where there is none. */
function unfinishedKey(text: string): number | null {
  const begun = text.lastIndexOf('-----BEGIN ');
  if (begun < 0 || !KEY_BEGINS.test(text.slice(begun, begun + 100))) return null;
  return text.includes('-----END ', begun) ? null : begun;
}

function replace(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text;
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    parts.push(text.slice(at, start), REDACTED);
    at = end;
  }
  return parts.join('') + text.slice(at);
}

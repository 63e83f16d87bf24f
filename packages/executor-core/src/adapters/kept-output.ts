import * as fs from 'node:fs';
import type { RedactionStream } from '../model/redactor';

/** Bytes of a log that are kept from its beginning, of its rotated rest (twice), and from its end. */
export const HEAD_BYTES = 8 * 1024 * 1024;
const REST_BYTES = 8 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** Agents of this user may put a link where we write. */
const APPEND =
  fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW;
/** UTF-8 needs at most this many bytes for one character. */
const MOST_OF_ONE = 4;

/**
 * A log of any length in bounded room and memory. The first 8 MiB are in `path`; what follows goes to
 * `<path>.rest`, which becomes `<path>.rest.old` at 8 MiB; at the end the last 64 KiB are added to `path`
 * below a line that says what is left out. No character of UTF-8 is cut in two. Without secrets: all of
 * it goes through `redaction` first.
 */
export class KeptOutput {
  private readonly file: number;
  private rest: number | null = null;
  private headLeft: number;
  private restSize = 0;
  private leftOut = 0;
  private tail: Buffer = Buffer.alloc(0);

  /** Throws when the file cannot be opened. */
  constructor(
    private readonly path: string,
    private readonly redaction: RedactionStream,
  ) {
    this.file = fs.openSync(path, APPEND, 0o600);
    this.headLeft = Math.max(0, HEAD_BYTES - fs.fstatSync(this.file).size);
  }

  take(chunk: Buffer): void {
    this.keep(this.redaction.push(chunk));
  }

  /** Writes what is left and closes the files. */
  end(): void {
    this.keep(this.redaction.end());
    if (this.leftOut > 0) {
      const tail = wholeCharacters(this.tail);
      const said = `\n[${this.leftOut - tail.length} bytes are left out here; the last of them are in ${this.path}.rest]\n`;
      fs.writeSync(this.file, Buffer.concat([Buffer.from(said), tail]));
    }
    fs.closeSync(this.file);
    if (this.rest !== null) fs.closeSync(this.rest);
  }

  private keep(bytes: Buffer): void {
    const cut =
      bytes.length <= this.headLeft ? bytes.length : startOfCharacter(bytes, this.headLeft);
    if (cut > 0) write(this.file, bytes.subarray(0, cut));
    // Once it is full it stays so, though a cut may have left a byte or two.
    this.headLeft = cut < bytes.length ? 0 : this.headLeft - cut;
    if (cut < bytes.length) this.keepRest(bytes.subarray(cut));
  }

  private keepRest(bytes: Buffer): void {
    this.leftOut += bytes.length;
    this.tail = Buffer.concat([this.tail, bytes]).subarray(-TAIL_BYTES - MOST_OF_ONE);
    if (this.rest === null || this.restSize >= REST_BYTES) this.rotate();
    if (this.rest !== null) write(this.rest, bytes);
    this.restSize += bytes.length;
  }

  private rotate(): void {
    const name = `${this.path}.rest`;
    if (this.rest !== null) {
      fs.closeSync(this.rest);
      fs.renameSync(name, `${name}.old`);
    }
    this.rest = fs.openSync(name, APPEND, 0o600);
    this.restSize = fs.fstatSync(this.rest).size;
  }
}

function write(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(file, bytes, at);
}

/** `at`, or the beginning of the character that `at` would cut in two. */
function startOfCharacter(bytes: Buffer, at: number): number {
  for (let start = at; start > 0 && at - start < MOST_OF_ONE; start -= 1)
    if (!isContinuation(bytes[start])) return start;
  return at;
}

function wholeCharacters(bytes: Buffer): Buffer {
  let start = Math.max(0, bytes.length - TAIL_BYTES);
  for (let n = 1; n < MOST_OF_ONE && isContinuation(bytes[start]); n += 1) start += 1;
  return bytes.subarray(start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

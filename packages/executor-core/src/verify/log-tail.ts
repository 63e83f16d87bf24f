/** UTF-8 needs at most this many bytes for one character. */
const MAX_BYTES = 4;

/**
 * The last `maxChars` UTF-16 units of `bytes` read as UTF-8. Neither a sequence of bytes nor a
 * surrogate pair is cut in two; bytes that are not UTF-8 become U+FFFD.
 */
export function logTail(bytes: Buffer, maxChars: number): string {
  let from = Math.max(0, bytes.length - maxChars * MAX_BYTES);
  const first = from;
  while (from > 0 && from - first < MAX_BYTES && isContinuation(bytes[from])) from += 1;
  const text = bytes.toString('utf8', from);
  const cut = text.slice(-maxChars);
  return cut.length < text.length && isLowSurrogate(cut) ? cut.slice(1) : cut;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function isLowSurrogate(text: string): boolean {
  const unit = text.charCodeAt(0);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

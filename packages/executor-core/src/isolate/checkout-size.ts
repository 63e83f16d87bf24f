/** What one whole checkout takes on a disk: bytes in whole blocks, and files with their folders. */
export interface CheckoutSize {
  readonly bytes: number;
  /** Files alone. */
  readonly files: number;
  /** Files and folders: each takes an inode. */
  readonly inodes: number;
}

const BLOCK = 4096;
const HEADER = 12;
/** Of an entry: times, device, inode, mode and owner come before its size; an id of 20 bytes and flags after. */
const SIZE_AT = 36;
const FLAGS_AT = 60;
const EXTENDED = 0x4000;
const NO_FILES: CheckoutSize = { bytes: 0, files: 0, inodes: 0 };

/**
 * Reckons a checkout from the index of one (gitformat-index(5), versions 2 to 4), which holds the sizes that its
 * files had: no object is read, so none is fetched in a partial clone. Files that the index has no size of, as
 * of those left out of a sparse checkout, count as the mean of the others. `null` when it cannot be read
 * like that, as in a repository with ids of SHA-256; an empty one is of no size.
 */
export function checkoutSize(index: Buffer): CheckoutSize | null {
  if (index.length === 0) return NO_FILES;
  if (index.length < HEADER || index.toString('latin1', 0, 4) !== 'DIRC') return null;
  const [version, files] = [index.readUInt32BE(4), index.readUInt32BE(8)];
  if (version < 2 || version > 4) return null;
  let [at, blocks, unsized] = [HEADER, 0, 0];
  const folders = new FolderCount();
  for (let entry = 0; entry < files; entry += 1) {
    const found = readEntry(index, at, version);
    if (found === null) return null;
    if (found.size === 0) unsized += 1;
    blocks += Math.ceil(found.size / BLOCK);
    folders.add(found.stripped, found.name);
    at = found.next;
  }
  const mean = files > unsized ? blocks / (files - unsized) : 1;
  const all = blocks + Math.ceil(mean * unsized) + folders.count;
  return { bytes: all * BLOCK, files, inodes: files + folders.count };
}

interface IndexEntry {
  readonly size: number;
  /** Bytes taken off the end of the name before, in version 4; else the whole of it. */
  readonly stripped: number | null;
  readonly name: string;
  readonly next: number;
}

function readEntry(index: Buffer, at: number, version: number): IndexEntry | null {
  if (at + FLAGS_AT + 2 > index.length) return null;
  const size = index.readUInt32BE(at + SIZE_AT);
  const extended = (index.readUInt16BE(at + FLAGS_AT) & EXTENDED) !== 0;
  const after = at + FLAGS_AT + (extended ? 4 : 2);
  const stripped = version === 4 ? readOffset(index, after) : { value: null, next: after };
  const end = index.indexOf(0, stripped.next);
  if (end < 0 || end === stripped.next) return null;
  const name = index.toString('latin1', stripped.next, end);
  // Up to version 3 an entry is filled up to a multiple of 8 bytes, with one zero at least.
  const next = version === 4 ? end + 1 : at + Math.ceil((end + 1 - at) / 8) * 8;
  return { size, stripped: stripped.value, name, next };
}

/** The number encoding of pack files' offset deltas. */
function readOffset(
  index: Buffer,
  start: number,
): { readonly value: number; readonly next: number } {
  let at = start;
  let byte = index[at] ?? 0;
  let value = byte & 127;
  while ((byte & 128) !== 0) {
    at += 1;
    byte = index[at] ?? 0;
    value = (value + 1) * 128 + (byte & 127);
  }
  return { value, next: at + 1 };
}

/** Counts the folders of names that come in order. */
class FolderCount {
  count = 0;
  private last = '';

  add(stripped: number | null, text: string): void {
    const name = stripped === null ? text : this.last.slice(0, this.last.length - stripped) + text;
    const [before, now] = [this.last.split('/'), name.split('/')];
    let same = 0;
    while (same < now.length - 1 && same < before.length - 1 && before[same] === now[same])
      same += 1;
    this.count += now.length - 1 - same;
    this.last = name;
  }
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { VERSION } from '../model/version';
import type { FileSystem } from '../ports/file-system';
import type { JournalCursor } from './read-journal';

const SNAPSHOT_FILE = 'snapshot.json';
const SCHEMA_VERSION = 1;

/** What a journal comes to up to a place in it. */
export interface Snapshot {
  /** Up to where each segment is counted in; they are a beginning of the journal in file order. */
  readonly cursor: JournalCursor;
  /** Plain data; its shape is its maker's business. */
  readonly content: unknown;
}

/** Replaces the snapshot of the run in `dir` as one step. */
export async function writeSnapshot(
  fs: FileSystem,
  dir: string,
  { cursor, content }: Snapshot,
): Promise<void> {
  const body = JSON.stringify({ cursor: Object.fromEntries(cursor), content });
  const envelope = { schemaVersion: SCHEMA_VERSION, app: VERSION, sha256: sha256(body), body };
  await fs.writeAtomic(join(dir, SNAPSHOT_FILE), `${JSON.stringify(envelope)}\n`);
}

/**
 * The snapshot of the run in `dir`; `null` when there is none that can be used: damaged, of another
 * version, or of segments that are shorter by now. Nothing is lost then, the segments hold it all.
 */
export async function readSnapshot(fs: FileSystem, dir: string): Promise<Snapshot | null> {
  const envelope = parse(await fs.readText(join(dir, SNAPSHOT_FILE)));
  if (envelope === null || envelope['schemaVersion'] !== SCHEMA_VERSION) return null;
  const { body, sha256: sum } = envelope;
  if (typeof body !== 'string' || sha256(body) !== sum) return null;
  const { cursor, content } = JSON.parse(body) as {
    readonly cursor: Readonly<Record<string, number>>;
    readonly content: unknown;
  };
  for (const [name, bytes] of Object.entries(cursor)) {
    if (((await fs.size(join(dir, name))) ?? 0) < bytes) return null;
  }
  return { cursor: new Map(Object.entries(cursor)), content };
}

function parse(text: string | null): Readonly<Record<string, unknown>> | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

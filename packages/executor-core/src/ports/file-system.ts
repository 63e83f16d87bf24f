/**
 * The files we own. Paths are absolute. Everything we write goes through here, so that a test can
 * record it or make the n-th call fail. A missing file is a value (`null`), not an exception.
 */
export interface FileSystem {
  readText(path: string): Promise<string | null>;
  /** Bytes of `path` from `offset` to the end; empty when the file is shorter or missing. */
  readFrom(path: string, offset: number): Promise<Buffer>;
  /** Replaces `path` as one step: temporary file, fsync, rename, fsync of the folder. */
  writeAtomic(path: string, content: string | Buffer): Promise<void>;
  /** Like `writeAtomic`, but not forced to disk: for what can be made again after a power cut. */
  replace(path: string, content: string | Buffer): Promise<void>;
  /** Creates a file that must not exist, in a folder nobody else looks into: it may be seen half-written. */
  create(path: string, content: string): Promise<void>;
  /** Creates `path` with `content` as one step; `false` when it exists already. */
  createExclusive(path: string, content: string): Promise<boolean>;
  openAppend(path: string): Promise<AppendFile>;
  /** Forces the names in a folder to disk: what was created, linked or renamed in it. */
  syncFolder(path: string): Promise<void>;
  /** Names in a folder, sorted; empty when it is missing. */
  list(path: string): Promise<readonly string[]>;
  makeDir(path: string): Promise<void>;
  /** Gives a file a second name (a hard link); `false` when that cannot be done here. */
  link(from: string, to: string): Promise<boolean>;
  /** Changes with every change of the file: its identity, size and time in ns; `null` when missing. */
  stamp(path: string): Promise<string | null>;
  /** `false` when `from` is missing. */
  rename(from: string, to: string): Promise<boolean>;
  /** Removes one file; `false` when it was missing. */
  removeFile(path: string): Promise<boolean>;
  /** Removes a whole tree; never follows a symbolic link. */
  removeTree(path: string): Promise<void>;
  /** Removes many or large trees, in the background; rejects when one is left, after all were tried. */
  removeTrees(paths: readonly string[]): Promise<void>;
  /** Sets the modification time to now; `false` when the file is missing. */
  touch(path: string): Promise<boolean>;
  /** Modification time in epoch ms, or `null`. */
  modifiedAt(path: string): Promise<number | null>;
  /** Size in bytes, or `null` when the file is missing. */
  size(path: string): Promise<number | null>;
  exists(path: string): Promise<boolean>;
  /** Calls back when something in the folder changes; a hint only, it may be late or missing. */
  watch(path: string, onChange: () => void): () => void;
}

/** An `O_APPEND` file. */
export interface AppendFile {
  /** One `write(2)`; throws when the kernel took less than all of it. */
  append(bytes: Buffer): void;
  /** `fdatasync`. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

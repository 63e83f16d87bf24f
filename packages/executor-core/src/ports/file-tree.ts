/** What a name stands for, links not followed. */
export type FileKind = 'file' | 'folder' | 'link' | 'other';

/** Links and whole trees of files: what making a worktree ready needs beyond `FileSystem`. Paths are absolute. */
export interface FileTree {
  /** `null` when nothing has this name. A dangling link is a `link`. */
  kind(path: string): Promise<FileKind | null>;
  /** The text of a symbolic link, as it is written. Rejects when `path` is none. */
  readLink(path: string): Promise<string>;
  /** Makes a symbolic link with this text. Rejects when `path` exists. */
  makeLink(text: string, path: string): Promise<void>;
  /**
   * Copies a file or a folder with all it holds; links stay links with their text. What exists at the
   * destination is left as it is. Blocks are shared where the file system can.
   */
  copy(from: string, to: string): Promise<void>;
  /**
   * The same, but files get a second name instead of a copy: who writes into one writes into both. A file that
   * cannot have one (another file system, a limit, somebody else's file) is copied.
   */
  hardLink(from: string, to: string): Promise<void>;
  /** The path with every symbolic link resolved; `null` when it leads nowhere. */
  realPath(path: string): Promise<string | null>;
}

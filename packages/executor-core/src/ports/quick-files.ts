/**
 * Small files that must survive the death of a process, not a power cut: written in the calling turn
 * and without fsync, so that no other turn of this process comes in between. Paths are absolute. What
 * the kernel has taken stays when the process is killed; after a power cut every process is dead, and
 * what such a file said of one is void.
 */
export interface QuickFiles {
  /** Creates a file that must not exist. `no-folder`: its folder is missing, e.g. it was moved away. */
  create(path: string, text: string): 'created' | 'exists' | 'no-folder';
  /** The same for a file that is to be written again under whatever name it has then. */
  open(path: string, text: string): OpenFile | 'exists' | 'no-folder';
  /**
   * Replaces the content of a file that exists by one write(2), so that no reader and no crash sees a
   * half of it; `false` when it is missing. A text shorter than the old one is filled up with spaces.
   */
  rewrite(path: string, text: string): boolean;
  /** Gives a file another name, in one step; what had that name goes. `false` when it is missing. */
  rename(from: string, to: string): boolean;
  /** `false` when it was missing. */
  remove(path: string): boolean;
}

/** A file that stays open; to be closed. */
export interface OpenFile {
  /** See `QuickFiles.rewrite`; of a file that has been removed nobody sees it. */
  rewrite(text: string): void;
  close(): void;
}

/** An overlay to be mounted: absolute paths of folders that exist. `changes` and `work` lie on one file system. */
export interface OverlayMount {
  /** Shown where nothing was changed; must not change while it is shown. */
  readonly lower: string;
  /** Receives what is written. */
  readonly changes: string;
  /** Empty; the kernel's own. */
  readonly work: string;
  /** Where both appear as one. */
  readonly at: string;
}

/** Folders that appear at another place, as the kernel has them (mount(8)). Mounts outlive the process. */
export interface Mounts {
  /**
   * Why no overlay can be had below `folder`, one sentence without its full stop; `null` when it can. Asked
   * once for each folder, by mounting a tiny one in it.
   */
  problem(folder: string): Promise<string | null>;
  /** Rejects with the system's words. */
  overlay(mount: OverlayMount): Promise<void>;
  /** Places of the mounts at or below `folder`. */
  below(folder: string): Promise<readonly string[]>;
  /** Takes away what is mounted at a place, in use or not; nothing to do when nothing is. */
  unmount(at: string): Promise<void>;
}

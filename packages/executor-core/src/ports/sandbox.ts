/** What a program in a sandbox finds; paths are absolute. What is not named can be read and not written. */
export interface Confinement {
  /** Its working directory. */
  readonly folder: string;
  /** Folders below which it may write. They exist, and no symbolic link leads to them. */
  readonly writable: readonly string[];
  /** Exceptions from `writable`, and folders that a private `/tmp` would hide. */
  readonly readOnly: readonly string[];
  /** `from` appears at `to`, writable. */
  readonly replaced: readonly { readonly from: string; readonly to: string }[];
  /** `from` appears at `to` as well, read-only; `to` lies below `/tmp`. */
  readonly shown: readonly { readonly from: string; readonly to: string }[];
  /** Appear as empty folders; what is written there is gone with the program. */
  readonly emptied: readonly string[];
}

/** A way to start programs so that the kernel holds them to what they may write. */
export interface Sandbox {
  /** For people and reports. */
  readonly name: 'bubblewrap';
  /** Why it cannot be used here, one sentence without its full stop; `null` when it can. Asked once. */
  problem(): Promise<string | null>;
  /**
   * The command line that runs `argv` confined: with a process table and a `/tmp` of its own, which end
   * with it. Its network is that of everybody. Exit code 128 + n stands for a signal.
   */
  wrap(argv: readonly string[], confinement: Confinement): readonly string[];
}

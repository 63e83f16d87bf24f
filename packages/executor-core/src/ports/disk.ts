/** What is known of the disk a folder is on. Paths are absolute; the folder exists. */
export interface Disk {
  /** Bytes this user may still write there; `null` when nobody knows (a quota is not counted). */
  freeSpace(folder: string): number | null;
  /** Files and folders that may still be made there; `null` when nobody knows or there is no limit. */
  freeFiles(folder: string): number | null;
  /**
   * Name of the file system when it is served by another machine (`NFS`, `SMB`, `sshfs`, …), where
   * two appends may overwrite each other; `null` for a local one and when nobody knows.
   */
  networkName(folder: string): string | null;
}

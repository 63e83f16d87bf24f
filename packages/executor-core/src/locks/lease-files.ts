import { join } from 'node:path';
import type { OpenFile, QuickFiles } from '../ports/quick-files';

/** Files that are kept open at once; what is beyond is made and removed. */
const MOST_OPEN = 256;
/** Files that wait for their next use. */
const MOST_IDLE = 32;
const IDLE_NAME = /^spare-\d+$/;

/** `true` for a file that stands for nothing, and that a leader which was killed leaves behind. */
export function isIdleName(name: string): boolean {
  return IDLE_NAME.test(name);
}

/**
 * Files that come and go by the thousand. One that is not wanted any more gets the name and the content
 * of the next: a rename, and a write to a file that is open, are much cheaper than to remove one file
 * and to make another. The rename names the folder, so it fails when that has been moved away.
 */
export class LeaseFiles {
  /** By path. */
  private readonly open = new Map<string, OpenFile>();
  /** Paths of files that are not wanted any more and may still have their names. */
  private spares: string[] = [];
  /** Paths of files that stand for nothing. */
  private readonly idle: string[] = [];
  private count = 0;

  constructor(
    private readonly quick: QuickFiles,
    private readonly folder: string,
  ) {}

  create(path: string, text: string): 'created' | 'exists' | 'no-folder' {
    const old = this.spares.pop() ?? this.idle.pop();
    if (old !== undefined && this.reuse(old, path, text)) return 'created';
    if (this.open.size >= MOST_OPEN) return this.quick.create(path, text);
    const file = this.quick.open(path, text);
    if (typeof file === 'string') return file;
    this.open.set(path, file);
    return 'created';
  }

  /** Not wanted any more. */
  spare(path: string): void {
    this.spares.push(path);
  }

  /** Takes the names of those not wanted from them; `false` when one of them was not there. */
  removeSpares(): boolean {
    const paths = this.spares;
    if (paths.length === 0) return true;
    this.spares = [];
    return paths.filter((path) => !this.setAside(path)).length === 0;
  }

  /** `false` when it was not there. */
  remove(path: string): boolean {
    this.forget(path);
    return this.quick.remove(path);
  }

  /** Somebody else has moved it, or taken it away. */
  forget(path: string): void {
    this.open.get(path)?.close();
    this.open.delete(path);
  }

  close(): void {
    for (const path of this.idle.splice(0)) this.remove(path);
    for (const path of [...this.open.keys()]) this.forget(path);
  }

  private setAside(path: string): boolean {
    if (this.idle.length >= MOST_IDLE || !this.open.has(path)) return this.remove(path);
    this.count += 1;
    const idle = join(this.folder, `spare-${this.count}`);
    if (this.rename(path, idle) === null) return false;
    this.idle.push(idle);
    return true;
  }

  private reuse(old: string, path: string, text: string): boolean {
    const file = this.rename(old, path);
    try {
      file?.rewrite(text);
    } catch (error) {
      this.remove(path);
      throw error;
    }
    return file !== null;
  }

  /** `null` when it cannot be renamed; it is removed then, if it is there. */
  private rename(from: string, to: string): OpenFile | null {
    const file = this.open.get(from);
    if (file === undefined || !this.quick.rename(from, to)) {
      this.remove(from);
      return null;
    }
    this.open.delete(from);
    this.open.set(to, file);
    return file;
  }
}

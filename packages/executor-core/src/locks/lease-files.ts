import type { OpenFile, QuickFiles } from '../ports/quick-files';

/** Files that are kept open at once; what is beyond is made and removed. */
const MOST_OPEN = 256;

/**
 * Files that come and go by the thousand. One that is not wanted any more gets the name and the content
 * of the next, which is cheaper than to remove one and to make another: a rename, and a write to a file
 * that is open. The rename names the folder, so it fails when that has been moved away.
 */
export class LeaseFiles {
  /** By path. */
  private readonly open = new Map<string, OpenFile>();
  private spares: string[] = [];

  constructor(private readonly quick: QuickFiles) {}

  create(path: string, text: string): 'created' | 'exists' | 'no-folder' {
    if (this.reuse(path, text)) return 'created';
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

  /** `false` when one of them was not there. */
  removeSpares(): boolean {
    const paths = this.spares;
    if (paths.length === 0) return true;
    this.spares = [];
    return paths.filter((path) => !this.remove(path)).length === 0;
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
    for (const path of [...this.open.keys()]) this.forget(path);
  }

  private reuse(path: string, text: string): boolean {
    const spare = this.spares.pop();
    if (spare === undefined) return false;
    const file = this.open.get(spare);
    if (file === undefined || !this.quick.rename(spare, path)) {
      this.remove(spare);
      return false;
    }
    this.open.delete(spare);
    this.open.set(path, file);
    try {
      file.rewrite(text);
    } catch (error) {
      this.remove(path);
      throw error;
    }
    return true;
  }
}

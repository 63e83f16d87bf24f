import type { Out } from '../terminal';

const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
/** DEC mode 2026: the terminal shows everything between begin and end at once. */
const BEGIN_UPDATE = '\u001B[?2026h';
const END_UPDATE = '\u001B[?2026l';
const CLEAR_LINE = '\u001B[2K';
const CLEAR_BELOW = '\u001B[J';

/**
 * Keeps a block of lines at the bottom of the terminal and rewrites only the lines that changed.
 * Invariant: between calls the cursor stands at the start of the line below the block, so that
 * anything printed after `stop` follows the last frame.
 */
export class Painter {
  readonly #out: Out;
  #shown: readonly string[] = [];
  #active = false;
  readonly #restore = (): void => {
    this.#out.write(SHOW_CURSOR);
  };

  constructor(out: Out) {
    this.#out = out;
  }

  /** Shows `lines`, none of which may be wider than the terminal; writes nothing when nothing changed. */
  paint(lines: readonly string[]): void {
    this.#begin();
    if (same(lines, this.#shown)) return;
    const body = lines.map((line, index) =>
      line === this.#shown[index] ? '\r\n' : `\r${CLEAR_LINE}${line}\r\n`,
    );
    const rest = lines.length < this.#shown.length ? CLEAR_BELOW : '';
    this.#out.write(BEGIN_UPDATE + this.#toTop() + body.join('') + rest + END_UPDATE);
    this.#shown = lines;
  }

  /** Prints `text` above the block, where it stays in the scrollback; the block is painted again. */
  insert(text: string): void {
    const lines = this.#shown;
    this.forget();
    this.#out.write(`${text.replace(/\n?$/, '').replace(/\n/g, '\r\n')}\r\n`);
    if (this.#active) this.paint(lines);
  }

  /** Removes the block, for instance because a new width has re-wrapped it. */
  forget(): void {
    if (this.#shown.length > 0) this.#out.write(`${this.#toTop()}\r${CLEAR_BELOW}`);
    this.#shown = [];
  }

  /** Leaves the last frame where it is and gives the cursor back. */
  stop(): void {
    if (!this.#active) return;
    this.#active = false;
    process.off('exit', this.#restore);
    this.#restore();
  }

  #begin(): void {
    if (this.#active) return;
    this.#active = true;
    // However the process ends, the person gets the cursor back.
    process.on('exit', this.#restore);
    this.#out.write(HIDE_CURSOR);
  }

  #toTop(): string {
    return this.#shown.length === 0 ? '' : `\u001B[${this.#shown.length}A`;
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

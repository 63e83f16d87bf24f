import { displayWidth, elideEnd, padEnd } from './text-width';
import type { Theme, Tone } from './theme';

/** A piece of a line and how it is meant. `text` has no control characters. */
export interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

/** A plain piece, or one with a tone. */
export function cell(text: string, tone: Tone = 'plain'): Cell {
  return { text, tone };
}

/** The cells as one string of exactly `width` cells: cut at the end or filled with spaces. */
export function renderCells(cells: readonly Cell[], width: number, theme: Theme): string {
  let left = width;
  let line = '';
  for (const { text, tone } of cells) {
    const shown = elideEnd(text, left, theme.glyphs.ellipsis);
    if (shown !== '') line += theme.paint(tone, shown);
    left -= displayWidth(shown);
    if (shown !== text) break;
  }
  return line + padEnd('', left);
}

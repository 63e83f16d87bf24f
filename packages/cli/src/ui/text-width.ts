let known: Intl.Segmenter | null = null;
/** Made when the first text that is not plain ASCII comes: it loads a large table. */
function segmenter(): Intl.Segmenter {
  return (known ??= new Intl.Segmenter('en', { granularity: 'grapheme' }));
}
const WIDE =
  /\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;
const ZERO_WIDTH = /^[\p{Mark}\p{Format}]+$/u;
// eslint-disable-next-line no-control-regex -- finding control sequences is the purpose
const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g;
// eslint-disable-next-line no-control-regex -- as above
const CONTROLS = /[\u0000-\u001F\u007F-\u009F]+/g;

/** Cells a terminal uses for `text`, which has no control characters. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter().segment(text)) width += cellsOf(segment);
  return width;
}

/** Text of others (notes, paths, logs) without anything that could steer the terminal; one line. */
export function plainText(text: string): string {
  return text.replace(ESCAPES, '').replace(CONTROLS, ' ').trim();
}

/** Log text without anything that could steer the terminal; line ends stay. */
export function plainLines(text: string): readonly string[] {
  return text
    .replace(ESCAPES, '')
    .split(/\r?\n|\r/)
    .map((line) => line.replace(CONTROLS, ' ').trimEnd());
}

/** At most `width` cells of `text`; what is cut from the end is marked by `ellipsis`. */
export function elideEnd(text: string, width: number, ellipsis: string): string {
  if (displayWidth(text) <= width) return text;
  return takeStart(text, width - displayWidth(ellipsis)) + clip(ellipsis, width);
}

/** At most `width` cells of `text`; what is cut from the middle is marked by `ellipsis`. */
export function elideMiddle(text: string, width: number, ellipsis: string): string {
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room < 2) return takeStart(text, width);
  const end = takeEnd(text, Math.floor(room / 2));
  return takeStart(text, room - displayWidth(end)) + ellipsis + end;
}

/** `text` filled with spaces to `width` cells. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** `text` filled with spaces on the left to `width` cells. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

function clip(ellipsis: string, width: number): string {
  return width < displayWidth(ellipsis) ? '' : ellipsis;
}

function takeStart(text: string, width: number): string {
  return take(
    [...segmenter().segment(text)].map(({ segment }) => segment),
    width,
  ).join('');
}

function takeEnd(text: string, width: number): string {
  const reversed = [...segmenter().segment(text)].map(({ segment }) => segment).reverse();
  return take(reversed, width).reverse().join('');
}

function take(segments: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const segment of segments) {
    used += cellsOf(segment);
    if (used > width) break;
    taken.push(segment);
  }
  return taken;
}

function cellsOf(segment: string): number {
  if (ZERO_WIDTH.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}

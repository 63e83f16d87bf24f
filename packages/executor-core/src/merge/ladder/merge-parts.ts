import type { MergeSides } from '../merge-tree';
import type { MergePart } from './path-conflict';

/** The lines of a text, each with its newline; the last one may have none. */
export function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/**
 * Reads what git writes for a conflict in the style `diff3`, whose outer markers carry the ids of the
 * merged commits. `null` when the text itself holds lines that cannot be told from markers, or when it
 * has no conflict at all.
 */
export function parseParts(marked: string, sides: MergeSides): readonly MergePart[] | null {
  const parts: MergePart[] = [];
  let settled: string[] = [];
  let open: OpenHunk | null = null;
  for (const line of linesOf(marked)) {
    const marker = markerOf(line, sides);
    if (open === null) {
      if (marker === 'end') return null;
      if (marker === 'start') {
        if (settled.length > 0) parts.push({ kind: 'merged', lines: settled });
        settled = [];
        open = { kind: 'hunk', at: 'ours', ours: [], base: [], theirs: [] };
      } else settled.push(line);
      continue;
    }
    const next: OpenHunk['at'] | 'done' | null =
      marker === null ? open.at : stepOf(open.at, marker);
    if (next === null) return null;
    if (next === 'done') {
      const { ours, base, theirs } = open;
      parts.push({ kind: 'hunk', ours, base, theirs });
      open = null;
    } else if (marker === null) open[open.at].push(line);
    else open.at = next;
  }
  if (open !== null) return null;
  if (settled.length > 0) parts.push({ kind: 'merged', lines: settled });
  return parts.some(({ kind }) => kind === 'hunk') ? parts : null;
}

interface OpenHunk {
  readonly kind: 'hunk';
  at: 'ours' | 'base' | 'theirs';
  readonly ours: string[];
  readonly base: string[];
  readonly theirs: string[];
}

type Marker = 'start' | 'base' | 'middle' | 'end';

function markerOf(line: string, { left, right }: MergeSides): Marker | null {
  if (line.startsWith(`<<<<<<< ${left}`)) return 'start';
  if (line.startsWith(`>>>>>>> ${right}`)) return 'end';
  if (/^\|{7}(?: |\r?\n)/.test(line)) return 'base';
  return /^={7}\r?\n/.test(line) ? 'middle' : null;
}

/** Markers come in one order only; a text that has lines like them breaks it. */
function stepOf(at: OpenHunk['at'], marker: Marker): OpenHunk['at'] | 'done' | null {
  if (at === 'ours') return marker === 'base' ? 'base' : null;
  if (at === 'base') return marker === 'middle' ? 'theirs' : null;
  return marker === 'end' ? 'done' : null;
}

/** The target's lines of each hunk of a file with git's markers, in whatever style; the text may have lines like them. */
export function targetHunks(marked: string): readonly (readonly string[])[] {
  const hunks: string[][] = [];
  let open: string[] | null = null;
  for (const line of linesOf(marked)) {
    if (/^<{7} /.test(line)) hunks.push((open = []));
    else if (/^(?:={7}|\|{7}(?: .*)?)\r?\n$/.test(line)) open = null;
    else open?.push(line);
  }
  return hunks;
}

/** `true` when a line begins as git's conflict markers do. */
export function hasMarkers(text: string): boolean {
  return /^(?:<{7}|>{7}|\|{7}) /m.test(text);
}

/**
 * The merged file where `choose` says what becomes of each hunk. git ends every line of a hunk, so the
 * file ends as `ending` does where a hunk is last.
 */
export function joinParts(
  parts: readonly MergePart[],
  choose: (hunk: Extract<MergePart, { kind: 'hunk' }>) => readonly string[],
  ending: string,
): string {
  const text = parts
    .flatMap((part) => (part.kind === 'merged' ? part.lines : choose(part)))
    .join('');
  const endsInHunk = parts.at(-1)?.kind === 'hunk';
  return endsInHunk && !ending.endsWith('\n') ? text.replace(/\r?\n$/, '') : text;
}

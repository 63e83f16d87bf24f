/** More alternatives than this make a glob too expensive to decide; it then counts as overlapping. */
const MAX_ALTERNATIVES = 256;

/** A `{…}` with its choices: positions of the braces and of the commas between them. */
interface Group {
  readonly open: number;
  readonly close: number;
  readonly commas: readonly number[];
}

/**
 * Expands `{a,b}` (nested too) into the globs it stands for, in order, without duplicates. Braces
 * without a comma, or without a partner, are ordinary characters, as in bash.
 *
 * @returns `null` when there are more than 256 alternatives or the glob uses a range (`{1..9}`).
 */
export function expandBraces(glob: string): readonly string[] | null {
  const pending = [glob];
  const done = new Set<string>();
  while (pending.length > 0) {
    const text = pending.pop() ?? '';
    const group = firstChoice(text);
    if (group === 'range') return null;
    if (group === null) done.add(text);
    else pending.push(...alternatives(text, group).reverse());
    if (done.size + pending.length > MAX_ALTERNATIVES) return null;
  }
  return [...done];
}

function alternatives(text: string, { open, close, commas }: Group): string[] {
  const cuts = [open, ...commas, close];
  const before = text.slice(0, open);
  const after = text.slice(close + 1);
  return cuts
    .slice(1)
    .map((end, index) => before + text.slice((cuts[index] ?? 0) + 1, end) + after);
}

/** The first brace group that offers a choice, in one pass over the text. */
function firstChoice(text: string): Group | 'range' | null {
  const open: { readonly at: number; readonly commas: number[] }[] = [];
  let best: Group | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') open.push({ at, commas: [] });
    else if (character === ',') open.at(-1)?.commas.push(at);
    else if (character === '}') {
      const group = open.pop();
      if (group === undefined) continue;
      if (group.commas.length > 0) {
        if (best === null || group.at < best.open) {
          best = { open: group.at, close: at, commas: group.commas };
        }
      } else if (text.slice(group.at, at).includes('..')) return 'range';
    }
  }
  return best;
}

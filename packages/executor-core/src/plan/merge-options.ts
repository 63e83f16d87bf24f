import { suggest } from './did-you-mean';
import { itemsOf, type Located } from './located';
import type { Report } from './report';

/** Options of git's merge (`-X`) that decide how lines and names are compared. */
const PLAIN = [
  ...['ignore-space-change', 'ignore-all-space', 'ignore-space-at-eol', 'ignore-cr-at-eol'],
  ...['renormalize', 'no-renormalize', 'find-renames', 'no-renames', 'patience', 'histogram'],
];
const DIFF_ALGORITHMS = ['myers', 'minimal', 'patience', 'histogram'];
const VALUED = [
  /^find-renames=(?:100|\d{1,2})%?$/,
  new RegExp(`^diff-algorithm=(?:${DIFF_ALGORITHMS.join('|')})$`),
];

/** Options git has and a plan may not use, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  ours: 'it says which side wins',
  theirs: 'it says which side wins',
  subtree: 'it shifts one tree below another, so that work would land in other folders',
};

/** Reports each merge option that git does not have or that may not be used. */
export function checkMergeOptions(node: Located | null, report: Report): void {
  for (const item of itemsOf(node)) {
    const text = item.kind === 'scalar' ? item.text : '';
    const [name = ''] = text.split('=');
    if (PLAIN.includes(text) || VALUED.some((form) => form.test(text))) continue;
    const reason = REFUSED[name];
    report.error(
      'bad-value',
      item.span,
      reason === undefined
        ? `merge_options: git has no merge option ${JSON.stringify(text)}.`
        : `merge_options: ${text} cannot be used: ${reason}.`,
      fixFor(name),
    );
  }
}

function fixFor(name: string): string | null {
  if (name === 'ours' || name === 'theirs') return `Write merge_strategy: ${name}.`;
  if (name === 'find-renames') return 'Use find-renames=50: how alike two files are, in percent.';
  if (name === 'diff-algorithm') return `Use one of: ${DIFF_ALGORITHMS.join(', ')}.`;
  return name in REFUSED ? null : suggest(name, PLAIN);
}

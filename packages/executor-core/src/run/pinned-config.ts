/** One entry of `git config --list -z --show-scope`; a value of `null` is the bare key, which means true. */
export interface ConfigEntry {
  readonly scope: string;
  readonly key: string;
  readonly value: string | null;
}

/** Files named by these are in the list already: git has followed them. */
const INCLUDES = /^include(?:if)?\./i;

/** Reads what `git config --list --includes --show-scope -z` prints. */
export function parseConfigList(stdout: string): readonly ConfigEntry[] {
  const fields = stdout.split('\0');
  const entries: ConfigEntry[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [scope = '', entry = ''] = [fields[at], fields[at + 1]];
    const end = entry.indexOf('\n');
    const key = end < 0 ? entry : entry.slice(0, end);
    entries.push({ scope, key, value: end < 0 ? null : entry.slice(end + 1) });
  }
  return entries;
}

/** A configuration file with these entries, in their order, and no includes: git-config(1). */
export function configText(entries: readonly ConfigEntry[]): string {
  const lines = entries
    .filter(({ key }) => !INCLUDES.test(key) && key.includes('.'))
    .map(({ key, value }) => {
      const name = key.slice(key.lastIndexOf('.') + 1);
      return `${sectionOf(key)}\n\t${name}${value === null ? '' : ` = ${quoted(value)}`}\n`;
    });
  return lines.join('');
}

function sectionOf(key: string): string {
  const [first, last] = [key.indexOf('.'), key.lastIndexOf('.')];
  if (first === last) return `[${key.slice(0, first)}]`;
  const subsection = key.slice(first + 1, last).replace(/["\\]/g, '\\$&');
  return `[${key.slice(0, first)} "${subsection}"]`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\t': '\\t',
  '\b': '\\b',
};

function quoted(value: string): string {
  return `"${value.replace(/[\\"\n\t\b]/g, (char) => ESCAPES[char] ?? char)}"`;
}

/** What a plan document may hold. */
type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | { readonly [key: string]: Value | undefined };

const MODELINE =
  '# yaml-language-server: $schema=./node_modules/@parallel-executor/core/parallel.schema.json';
const PLAIN = /^[A-Za-z_][A-Za-z0-9_./-]*$/;
const WORDS_WITH_A_MEANING = /^(true|false|null|yes|no|on|off|y|n)$/i;

/**
 * A plan document as YAML, with the modeline that names its schema. Mappings take a line per key;
 * lists of scalars and everything below the second level that is a list stay on one line. Texts are
 * quoted as JSON strings, which YAML reads as they are; several lines become a block.
 */
export function planText(document: object): string {
  return `${MODELINE}\n${block(document as Value, 0).trimStart()}\n`;
}

function block(value: Value, depth: number): string {
  const pad = '  '.repeat(depth);
  if (isMapping(value)) {
    const lines = Object.entries(value).map(([key, item]) =>
      item === undefined ? '' : `\n${pad}${scalar(key)}:${block(item, depth + 1)}`,
    );
    return lines.length === 0 ? ' {}' : lines.join('');
  }
  if (typeof value === 'string' && isBlockText(value)) return literal(value, pad);
  return ` ${flow(value)}`;
}

function flow(value: Value): string {
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  if (isMapping(value)) return JSON.stringify(value);
  return scalar(value);
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  return PLAIN.test(value) && !WORDS_WITH_A_MEANING.test(value) ? value : JSON.stringify(value);
}

/** A literal block keeps its text only when no line is indented by us alone or holds control characters. */
function isBlockText(text: string): boolean {
  return (
    /^\S[^\n]*\n/.test(text) &&
    !/[^\n\t\x20-\x7e\u00a0-\ud7ff]/.test(text) &&
    !text.endsWith('\n\n')
  );
}

function literal(text: string, pad: string): string {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : `${pad}${line}`));
  return ` |${text.endsWith('\n') ? '' : '-'}\n${lines.join('\n')}`;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isMapping(value: Value): value is { readonly [key: string]: Value | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

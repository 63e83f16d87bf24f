/**
 * One mistake in a plan. `line` and `column` are 1-based (UTF-16 units); line 0 means that the mistake
 * is not in the file (a command line flag, a plan made by the API). `length` never crosses the line.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** What to do about it; one sentence. */
  readonly fix: string | null;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

const MAX_EXCERPT = 120;
const MAX_MESSAGE = 2000;

/**
 * Text for people: position, message, the line with the offending part underlined, and the fix, in
 * order of position. No colour. User text is escaped, so it cannot send control sequences to a terminal
 * or reorder what is read (bidirectional marks).
 *
 * @param sourceText the text the diagnostics were made from.
 * @returns the blocks separated by blank lines, with a final newline; '' for no diagnostics.
 */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], sourceText: string): string {
  const lines = sourceText.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const blocks = [...diagnostics]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map((diagnostic) => renderOne(diagnostic, lines[diagnostic.line - 1]));
  return blocks.length === 0 ? '' : `${blocks.join('\n\n')}\n`;
}

/** Makes user text safe to print: control, format and separator characters and lone surrogates. */
export function escapeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

function renderOne(diagnostic: Diagnostic, line: string | undefined): string {
  const { code, severity, message, fix } = diagnostic;
  const isInFile = diagnostic.line > 0;
  const place = isInFile ? `:${diagnostic.line}:${diagnostic.column}` : '';
  const text = escapeText(message.slice(0, MAX_MESSAGE));
  const parts = [`${escapeText(diagnostic.file)}${place}: ${severity}[${code}]: ${text}`];
  if (isInFile && line !== undefined) parts.push(...excerpt(diagnostic, line));
  if (fix !== null) parts.push(`  fix: ${escapeText(fix.slice(0, MAX_MESSAGE))}`);
  return parts.join('\n');
}

/** The line with the part underlined; a long line is cut to a window around it. */
function excerpt({ line, column, length }: Diagnostic, source: string): readonly string[] {
  const gutter = String(line);
  const at = column - 1;
  const from = source.length <= MAX_EXCERPT ? 0 : Math.max(0, at - MAX_EXCERPT / 3);
  const to = Math.min(source.length, from + MAX_EXCERPT);
  const head = (from > 0 ? '…' : '') + excerptText(source.slice(from, at));
  const marked = excerptText(source.slice(at, Math.min(to, at + length)));
  const tail = excerptText(source.slice(Math.min(to, at + length), to));
  const indent = ' '.repeat(gutter.length);
  return [
    `  ${gutter} | ${head}${marked}${tail}${to < source.length ? '…' : ''}`,
    `  ${indent} | ${' '.repeat(head.length)}${'^'.repeat(Math.max(1, marked.length))}`,
  ];
}

/** A tab is one space here, so that the underline stays below its text. */
function excerptText(text: string): string {
  return escapeText(text.replaceAll('\t', ' '));
}

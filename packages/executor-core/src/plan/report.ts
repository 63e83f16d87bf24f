import type { Diagnostic } from './diagnostics';
import type { Span } from './located';

/** More than this helps nobody. */
const MAX_DIAGNOSTICS = 1000;

/** Collects what is wrong with a plan and turns offsets into lines and columns. */
export class Report {
  private readonly found: Diagnostic[] = [];
  private readonly keys = new Set<string>();
  private lineStarts: readonly number[] | null = null;
  private errorCount = 0;

  constructor(
    private readonly file: string,
    private readonly text: string,
  ) {}

  get errors(): number {
    return this.errorCount;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.found;
  }

  error(code: string, span: Span, message: string, fix: string | null = null): void {
    this.errorCount += 1;
    this.add('error', code, span, message, fix);
  }

  warning(code: string, span: Span, message: string, fix: string | null = null): void {
    this.add('warning', code, span, message, fix);
  }

  /** A mistake on the command line: `flag` stands in the place of the file. */
  flagError(code: string, flag: string, message: string, fix: string | null = null): void {
    this.errorCount += 1;
    this.push({ code, severity: 'error', message, fix, file: flag, line: 0, column: 0, length: 0 });
  }

  private add(
    severity: 'error' | 'warning',
    code: string,
    span: Span,
    message: string,
    fix: string | null,
  ): void {
    this.push({ code, severity, message, fix, file: this.file, ...this.place(span) });
  }

  /** The same mistake at the same place is told once, as when YAML stumbles twice over a character. */
  private push(diagnostic: Diagnostic): void {
    const { code, line, column, message } = diagnostic;
    const key = line > 0 ? `${code} ${line}:${column}` : `${code} ${message}`;
    if (this.found.length >= MAX_DIAGNOSTICS || this.keys.has(key)) return;
    this.keys.add(key);
    this.found.push(diagnostic);
  }

  private place(span: Span): Pick<Diagnostic, 'line' | 'column' | 'length'> {
    if (span === null) return { line: 0, column: 0, length: 0 };
    const starts = (this.lineStarts ??= findLineStarts(this.text));
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= span.offset) low = middle;
      else high = middle - 1;
    }
    const start = starts[low] ?? 0;
    const end = (starts[low + 1] ?? this.text.length + 1) - 1;
    const room = Math.max(0, end - span.offset);
    return { line: low + 1, column: span.offset - start + 1, length: Math.min(span.length, room) };
  }
}

function findLineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

import { escapeText, renderDiagnostics, type Diagnostic } from './diagnostics';
import { parsePlan } from './load-plan';

const diagnostic = (given: Partial<Diagnostic>): Diagnostic => ({
  code: 'unknown-agent',
  severity: 'error',
  message: 'There is no such agent.',
  fix: null,
  file: 'parallel.yaml',
  line: 1,
  column: 1,
  length: 1,
  ...given,
});

describe('renderDiagnostics', () => {
  it('shows place, message, the marked part of the line and the fix', () => {
    const text = 'tasks:\n  api:\n    agent: gost\n';
    const one = diagnostic({ line: 3, column: 12, length: 4, fix: 'Did you mean "ghost"?' });
    expect(renderDiagnostics([one], text)).toBe(
      [
        'parallel.yaml:3:12: error[unknown-agent]: There is no such agent.',
        '  3 |     agent: gost',
        '    |            ^^^^',
        '  fix: Did you mean "ghost"?',
        '',
      ].join('\n'),
    );
  });

  it('sorts by place and is empty for nothing', () => {
    const rendered = renderDiagnostics(
      [diagnostic({ line: 2, message: 'second' }), diagnostic({ line: 1, message: 'first' })],
      'a\nb',
    );
    expect(rendered.indexOf('first')).toBeLessThan(rendered.indexOf('second'));
    expect(renderDiagnostics([], 'a')).toBe('');
  });

  it('keeps the mark below its text after escapes and tabs', () => {
    const text = '\t"\u001b[2J": x';
    const lines = renderDiagnostics([diagnostic({ column: 2, length: 6 })], text).split('\n');
    expect(lines[1]).toBe('  1 |  "\\x1b[2J": x');
    expect(lines[2]).toBe('    |  ^^^^^^^^^');
  });

  it('cuts a long line to the part that matters', () => {
    const text = `${'x'.repeat(5000)}BAD${'y'.repeat(5000)}`;
    const lines = renderDiagnostics([diagnostic({ column: 5001, length: 3 })], text).split('\n');
    expect(lines[1]).toContain('xBADy');
    expect(lines[1]?.length).toBeLessThan(150);
    expect(lines[2]?.indexOf('^')).toBe(lines[1]?.indexOf('B'));
  });

  it('marks one column where there is nothing to mark, and shows no excerpt outside the file', () => {
    expect(renderDiagnostics([diagnostic({ length: 0 })], 'x')).toContain('| ^\n');
    expect(renderDiagnostics([diagnostic({ line: 0, file: '--agents' })], 'secret')).toBe(
      '--agents: error[unknown-agent]: There is no such agent.\n',
    );
  });

  it('never lets a plan send control characters, whatever holds them', () => {
    const hostile = '\u001b]0;owned\u0007\u202Eevil\u2028\u0000\r';
    const text = `tasks: { ${JSON.stringify(hostile)}: { agent: ${JSON.stringify(hostile)} } }`;
    const result = parsePlan({ text, file: `${hostile}.yaml` });
    const rendered = result.ok ? '' : renderDiagnostics(result.diagnostics, text);
    expect(rendered).toContain('bad-id');
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(rendered.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e\u2028]/);
  });
});

describe('escapeText', () => {
  it('writes out what is invisible and leaves the rest', () => {
    expect(escapeText('é 日本 😀')).toBe('é 日本 😀');
    expect(escapeText('a\nb\tc\u001b\u202e\ud800')).toBe('a\\nb\\tc\\x1b\\u{202e}\\u{d800}');
  });
});

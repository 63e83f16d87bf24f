import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { readPlain } from './read-plain';
import { readYaml } from './read-yaml';
import { Report } from './report';

const fully = (text: string): unknown => {
  const report = new Report('parallel.yaml', text);
  const located = readYaml(text, report);
  return report.diagnostics.length > 0 ? 'mistakes' : located;
};

/** Both readers agree, or the quick one leaves the text to the other. */
function expectAgreement(text: string): boolean {
  const quick = readPlain(text);
  if (quick !== null) expect({ text, located: quick }).toEqual({ text, located: fully(text) });
  return quick !== null;
}

const ROOT = join(__dirname, '../../../..');
const SAMPLE = `# a comment
version: 1
parallel_executor: { max_agents: 25, allow_more_agents: false, timeout: 60m } # and another

agents:
  codemod: { command: "node tools/codemod.mjs", env: { VERSION: 1.10, DEBUG: true, X: '' } }
phases: [one, two]
graph: { a: [], b: [a] }
tasks:
  # the first
  a:
    prompt: Change it (all of it), and then - so to say - stop.
    writes: [src/**, package.json, 'x y', "z"]   # files
    depends_on:
      - b

      - c
    verify:
    - npx nx test a
    - npm run lint -- --fix
  b:
    prompt: |
      Two lines,
        the second indented:

      # no comment
    project: shop
    empty:
    priority: 90
  10: { prompt: null }
`;

describe('the quick reader', () => {
  it('reads what plans are made of, places and all, as the full reader does', () => {
    expect(expectAgreement(SAMPLE)).toBe(true);
    expect(expectAgreement(SAMPLE.trimEnd())).toBe(true);
    const page = readFileSync(join(ROOT, 'docs/plan.md'), 'utf8');
    const inPage = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';
    expect(inPage).toContain('tasks:');
    expectAgreement(inPage);
    expectAgreement(readFileSync(join(ROOT, 'e2e/fixtures/specification.yaml'), 'utf8'));
  });

  it.each([
    ['nothing', ''],
    ['a list', '- a\n'],
    ['a tab', 'a:\tb\n'],
    ['a carriage return', 'a: b\r\n'],
    ['an alias', 'a: &x 1\nb: *x\n'],
    ['a tag', 'a: !src\n'],
    ['a key twice', 'a: 1\na: 2\n'],
    ['a key of every object', 'constructor: 1\n'],
    ['a merge', '<<: { a: 1 }\n'],
    ['a quoted key', '"a": 1\n'],
    ['text over several lines', 'a: b\n  c\n'],
    ['a flow list over several lines', 'a: [b,\n  c]\n'],
    ['a folded block', 'a: >\n  b\n'],
    ['a mapping in a list', 'a:\n  - b: 1\n'],
    ['an escape', 'a: "\\n"\n'],
    ['a doubled quote', "a: 'it''s'\n"],
    ['an octal number', 'a: 0o17\n'],
    ['a leading zero', 'a: 007\n'],
    ['an exponent', 'a: 1e3\n'],
    ['a Boolean in capitals', 'a: TRUE\n'],
    ['a tilde', 'a: ~\n'],
    ['a mapping in a value', 'a: b: c\n'],
    ['two documents', 'a: 1\n---\nb: 1\n'],
    ['a wrong indentation', 'a:\n    b: 1\n  c: 1\n'],
  ])('leaves %s to the full reader', (_, text) => {
    expect(readPlain(text)).toBeNull();
  });

  const word = fc.constantFrom(
    ...['a', 'b-c', '10', '1.5', '.5', '0x1', 'true', 'null', 'No', '30s', 'src/**', '**', "it's"],
    ...[
      'a b',
      '#x',
      'a#b',
      'a #b',
      'a:b',
      'a: b',
      'a:',
      ':',
      '-',
      '- x',
      '-x',
      '?',
      '? x',
      '@a',
      '%',
    ],
    ...[
      '"q"',
      "'q'",
      '"q" x',
      '""',
      "''",
      '"\\n"',
      '[a, b]',
      '[]',
      '[a,b]',
      '[a b, "c"]',
      '[a: b]',
    ],
    ...['{ x: 1 }', '{x: 1}', '{ x: }', '{ x }', '{ x: [a, { y: b }] }', '[a', '[a,]', '{ a: 1, }'],
    ...[
      '|',
      '|-',
      '|2',
      '>',
      '&a',
      '*a',
      '!t',
      '~',
      'é',
      '😀',
      '',
      '',
      '`',
      '+1',
      '_',
      '(x)',
      '$x',
    ],
    ...['a,b', 'a]', 'a}', '{a,b}/x', 'x{a,b}', '[ a , b ]', '.inf', '1_000', '1e3', '0o7', '00'],
  );
  const line = fc
    .tuple(
      fc.constantFrom('', '', '  ', '    ', ' '),
      fc.constantFrom('a', 'b', 'c', 'agent-1', 'x.y', '10', '- ', '- ', '', 'k k', '"q"', '#'),
      fc.constantFrom(': ', ':', ': ', ':  ', ' : ', ''),
      word,
      fc.constantFrom('', '', '', ' # c', '  ', ' #', '#'),
    )
    .map((parts) => parts.join(''));

  it('agrees with the full reader about generated lines, or leaves them to it', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.boolean(), (lines, ends) => {
        if (expectAgreement(lines.join('\n') + (ends ? '\n' : ''))) read += 1;
      }),
      { numRuns: 6000, seed: 5 },
    );
    expect(read).toBeGreaterThan(100);
  });

  const tree: fc.Arbitrary<readonly string[]> = fc.letrec<{ node: readonly string[] }>((tie) => ({
    node: fc
      .uniqueArray(
        fc.tuple(
          fc.constantFrom('a', 'b', 'c', 'd'),
          fc.oneof(
            { maxDepth: 3 },
            word.map((text): readonly string[] => [` ${text}`]),
            tie('node').map((lines) => ['', ...lines.map((text) => `  ${text}`)]),
            fc
              .array(word, { maxLength: 3 })
              .map((items) => ['', ...items.map((one) => `- ${one}`)]),
            fc.constant([' |', '    x', '', '      y']),
          ),
          fc.constantFrom([], [], [''], ['# c'], ['   # d', '']),
        ),
        { minLength: 1, maxLength: 4, selector: ([key]) => key },
      )
      .map((entries) =>
        entries.flatMap(([key, [first = '', ...others], after]) => [
          `${key}:${first}`,
          ...others,
          ...after,
        ]),
      ),
  })).node;

  it('agrees with the full reader about generated trees, or leaves them to it', () => {
    let read = 0;
    fc.assert(
      fc.property(tree, (lines) => {
        if (expectAgreement(`${lines.join('\n')}\n`)) read += 1;
      }),
      { numRuns: 4000, seed: 6 },
    );
    expect(read).toBeGreaterThan(300);
  });
});

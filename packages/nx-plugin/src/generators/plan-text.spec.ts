import fc from 'fast-check';
import { parse } from 'yaml';
import { planText } from './plan-text';

describe('planText', () => {
  it('writes a plan a person would write', () => {
    const text = planText({
      version: 1,
      agents: { codemod: { adapter: 'command', command: 'node x.mjs' } },
      tasks: { ui: { prompt: 'First line.\nSecond line.', writes: ['libs/ui/**'], verify: [] } },
      nothing: {},
    });
    expect(text.split('\n').slice(1).join('\n')).toBe(`version: 1
agents:
  codemod:
    adapter: command
    command: "node x.mjs"
tasks:
  ui:
    prompt: |-
      First line.
      Second line.
    writes: ["libs/ui/**"]
    verify: []
nothing: {}
`);
  });

  it('names the schema in the first line', () => {
    expect(planText({})).toMatch(/^# yaml-language-server: \$schema=\S+parallel\.schema\.json\n/);
  });

  it('loses nothing: any document reads back as it was', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '',
        'yes',
        'null',
        '- a',
        'a: b',
        '#',
        'a\nb',
        ' a\nb',
        'a\n',
        'a\n\n',
        '\n',
        '1',
        'a\r\nb',
        '...',
        '---\na',
        'a\n\tb',
        'a\n...\n',
      ),
      fc.array(fc.string(), { maxLength: 4 }).map((lines) => lines.join('\n')),
    );
    const { document } = fc.letrec((tie) => ({
      scalar: fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
      list: fc.array(tie('scalar'), { maxLength: 3 }),
      document: fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
        fc.oneof({ depthSize: 'small' }, tie('scalar'), tie('list'), tie('document')),
        { maxKeys: 4 },
      ),
    }));
    fc.assert(
      fc.property(document, (value) => {
        expect(parse(planText(value as object))).toEqual(value);
      }),
      { numRuns: 400 },
    );
  });
});

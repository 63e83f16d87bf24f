import { tooDeepAt } from './nesting';
import { parsePlan } from './load-plan';

const DEEP: readonly (readonly [string, string])[] = [
  ['lists that never end', `a: ${'['.repeat(50_000)}`],
  ['mappings in mappings', `a: ${'{ a: '.repeat(50_000)}`],
  ['pairs in lists', `a: ${'[ a: '.repeat(50_000)}`],
  ['lists on one line', `${'- '.repeat(50_000)}a`],
  ['keys that are asked for', `${'? '.repeat(50_000)}a`],
  ['a staircase', Array.from({ length: 1500 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  [
    'a staircase of lists in the columns of their keys',
    Array.from({ length: 800 }, (_, at) => `${' '.repeat(2 * at)}a:\n${' '.repeat(2 * at)}- `).join(
      '',
    ),
  ],
];

describe('the depth of a text', () => {
  it.each(DEEP)('is seen before the stack is used up: %s', (_, text) => {
    const at = tooDeepAt(text);
    expect(at).not.toBeNull();
    expect(at).toBeLessThan(text.length);
    const result = parsePlan({ text, file: 'parallel.yaml' });
    expect(result).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'too-deep', line: expect.any(Number) as number }],
    });
  });

  it('does not depend on brackets in texts, nor on long lines', () => {
    expect(tooDeepAt(`a: "${'['.repeat(5000)}"\nb: ${'x'.repeat(5000)}\n`)).toBeNull();
    expect(tooDeepAt(`a: ${'[x], '.repeat(5000)}`)).toBeNull();
    expect(tooDeepAt(`a: [${'[x], '.repeat(5000)}]`)).toBeNull();
    expect(tooDeepAt(`a: ${'['.repeat(400)}${']'.repeat(400)}`)).toBeNull();
  });
});

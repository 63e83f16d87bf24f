import { closestName, suggest } from './did-you-mean';

describe('closestName', () => {
  it.each([
    ['dependsOn', 'depends_on'],
    ['wirtes', 'writes'],
    ['max-agents', 'max_agents'],
    ['prompts', 'prompt'],
  ])('finds what %s means', (name, expected) => {
    expect(closestName(name, ['depends_on', 'writes', 'max_agents', 'prompt'])).toBe(expected);
  });

  it('does not guess from far away', () => {
    expect(closestName('colour', ['writes', 'reads'])).toBeNull();
    expect(closestName('x'.repeat(100), ['x'.repeat(100)])).toBeNull();
    expect(closestName('a', [])).toBeNull();
  });
});

describe('suggest', () => {
  it('lists the choices when none is near', () => {
    expect(suggest('colour', ['red', 'blue'])).toBe('Use one of: red, blue.');
    expect(suggest('colour', [])).toBeNull();
    expect(
      suggest(
        'q',
        Array.from({ length: 20 }, (_, n) => `name-${n}`),
      ),
    ).toContain('(20)');
  });
});

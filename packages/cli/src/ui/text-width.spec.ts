import * as fc from 'fast-check';
import {
  displayWidth,
  elideEnd,
  elideMiddle,
  padEnd,
  padStart,
  plainLines,
  plainText,
} from './text-width';

describe('the width of text', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['👩‍👩‍👧', 2],
    ['█░…│', 4],
  ])('of %j is %i cells', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('shortening', () => {
  it('keeps both ends of a name', () => {
    expect(elideMiddle('database_schema_v2', 9, '…')).toBe('data…a_v2');
    expect(elideMiddle('short', 9, '…')).toBe('short');
  });

  it('marks a cut at the end, and drops the mark where it has no room', () => {
    expect(elideEnd('abcdefgh', 5, '…')).toBe('abcd…');
    expect(elideEnd('abcdefgh', 5, '...')).toBe('ab...');
    expect(elideEnd('abcdefgh', 2, '...')).toBe('');
  });

  it('never gives more cells than asked for', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(text, fc.nat(20), fc.constantFrom('…', '...'), (raw, width, ellipsis) => {
        const clean = plainText(raw);
        expect(displayWidth(elideEnd(clean, width, ellipsis))).toBeLessThanOrEqual(width);
        expect(displayWidth(elideMiddle(clean, width, ellipsis))).toBeLessThanOrEqual(width);
        const padded = padEnd(elideMiddle(clean, width, ellipsis), width);
        expect(displayWidth(padded)).toBe(width);
      }),
    );
  });

  it('fills on either side', () => {
    expect(padEnd('ab', 4)).toBe('ab  ');
    expect(padStart('ab', 4)).toBe('  ab');
    expect(padEnd('abcd', 2)).toBe('abcd');
  });
});

describe('text of others', () => {
  it('loses colours, titles and control characters', () => {
    expect(plainText('\u001B[31mred\u001B[0m \u001B]0;title\u0007ok\u0008!')).toBe('red ok !');
    expect(plainText('a\nb')).toBe('a b');
  });

  it('keeps its lines when it is a log', () => {
    expect(plainLines('one\u001B[2K\r\ntwo\tx\n')).toEqual(['one', 'two x', '']);
  });
});

import * as fc from 'fast-check';
import { logTail } from './log-tail';

describe('logTail', () => {
  it('gives a short text whole', () => {
    expect(logTail(Buffer.from('héllo\n'), 10)).toBe('héllo\n');
    expect(logTail(Buffer.alloc(0), 10)).toBe('');
  });

  it('never cuts a character in two', () => {
    expect(logTail(Buffer.from('€'.repeat(50)), 7)).toBe('€'.repeat(7));
    expect(logTail(Buffer.from('😀'.repeat(50)), 7)).toBe('😀'.repeat(3));
  });

  it('replaces bytes that are not UTF-8', () => {
    expect(logTail(Buffer.from([0x61, 0xff, 0x62]), 10)).toBe('a\ufffdb');
  });

  it('is a well-formed ending of the text for any text and length', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (whole, maxChars) => {
        const tail = logTail(Buffer.from(whole), maxChars);
        expect(whole.endsWith(tail)).toBe(true);
        expect(tail.length).toBeLessThanOrEqual(maxChars);
        expect(tail.length).toBeGreaterThanOrEqual(Math.min(whole.length, maxChars - 1));
        expect(Buffer.from(tail).toString()).toBe(tail);
      }),
    );
  });
});

import fc from 'fast-check';
import type { Decoded } from './journal-codec';
import * as codec from './journal-codec';
import { encodeRecord, fitsRecord, RECORD_CAP } from './journal-codec';

const jsonOf = (values: readonly unknown[]): string[] =>
  values.map((value) => JSON.stringify(value));
const concat = (values: readonly unknown[]): Buffer =>
  Buffer.concat(values.map((value) => encodeRecord(JSON.stringify(value))));

/** What most tests look at: the values, and how many places are no record. */
const decodeRecords = (
  bytes: Buffer,
): Pick<Decoded, 'consumed'> & {
  readonly entries: readonly unknown[];
  readonly damaged: number;
} => {
  const { records, consumed, damage } = codec.decodeRecords(bytes);
  return { entries: records.map(({ value }) => value), consumed, damaged: damage.length };
};

/** Small records of every awkward kind: control characters, RS and LF in strings, astral characters. */
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.record({ type: fc.string(), text: fc.string({ unit: 'binary' }), n: fc.nat() }),
  fc.constantFrom({ text: '\x1e\n\0' }, { text: '\u{1F600}' }, { text: '\ud800' }),
);

describe('encodeRecord', () => {
  it('frames JSON with a separator, the start of its SHA-1, a space and a line feed', () => {
    expect(encodeRecord('{"a":1}').toString()).toBe('\x1e9f89c740 {"a":1}\n');
  });

  it('takes records up to the cap and refuses longer ones', () => {
    const longest = JSON.stringify('x'.repeat(RECORD_CAP - 13));
    expect(fitsRecord(longest)).toBe(true);
    expect(encodeRecord(longest)).toHaveLength(RECORD_CAP);
    expect(fitsRecord(`${longest} `)).toBe(false);
    expect(() => encodeRecord(`${longest} `)).toThrow(RangeError);
  });

  it('counts bytes, not characters', () => {
    expect(fitsRecord(JSON.stringify('é'.repeat(RECORD_CAP / 2)))).toBe(false);
  });

  it('refuses text that would break the framing', () => {
    expect(() => encodeRecord('{\n}')).toThrow('control characters');
    expect(() => encodeRecord('"\x1e"')).toThrow('control characters');
  });
});

describe('decodeRecords', () => {
  it('gives back every record in order', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 20 }), (values) => {
        const bytes = concat(values);
        const decoded = decodeRecords(bytes);
        expect(jsonOf(decoded.entries)).toEqual(jsonOf(values));
        expect(decoded.consumed).toBe(bytes.length);
        expect(decoded.damaged).toBe(0);
      }),
    );
  });

  it('keeps every whole record of a file cut at any byte, and lets a follower go on from there', () => {
    const values = Array.from({ length: 200 }, (_, n) => ({ n, t: 'x'.repeat(n % 9) }));
    const bytes = concat(values);
    const ends = values.map((_, n) => concat(values.slice(0, n + 1)).length);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const whole = ends.filter((end) => end <= cut).length;
      const head = decodeRecords(bytes.subarray(0, cut));
      if (head.entries.length !== whole || head.damaged !== 0) throw new Error(`cut at ${cut}`);
      if (head.consumed !== (ends[whole - 1] ?? 0)) throw new Error(`consumed at ${cut}`);
      if (cut % 13 !== 0) continue;
      const tail = decodeRecords(bytes.subarray(head.consumed));
      if (head.entries.length + tail.entries.length !== 200) throw new Error(`resumed at ${cut}`);
    }
  });

  it('keeps the records behind a torn one', () => {
    const torn = encodeRecord('{"n":2}').subarray(0, 12);
    const bytes = Buffer.concat([encodeRecord('{"n":1}'), torn, encodeRecord('{"n":3}')]);
    expect(decodeRecords(bytes)).toEqual({
      entries: [{ n: 1 }, { n: 3 }],
      consumed: bytes.length,
      damaged: 1,
    });
  });

  it('keeps both neighbours of a record that lost its separator', () => {
    const [one, two, three] = [1, 2, 3].map((n) => encodeRecord(`{"n":${n}}`));
    if (one === undefined || two === undefined || three === undefined)
      throw new Error('unreachable');
    two[0] = 0x20;
    const decoded = decodeRecords(Buffer.concat([one, two, three]));
    expect(decoded.entries).toEqual([{ n: 1 }, { n: 3 }]);
    expect(decoded.damaged).toBe(1);
  });

  it('tells where a record lies, and where and why something is none', () => {
    const [one, two] = [encodeRecord('{"n":1}'), encodeRecord('{"n":2}')];
    const torn = two.subarray(0, 12);
    const flipped = Buffer.from(two);
    flipped[12] = (flipped[12] ?? 0) ^ 1;
    const unended = Buffer.from(two);
    unended[two.length - 1] = 0x20;
    const parts = [one, torn, one, flipped, one, unended, one];
    const at = (n: number): number => Buffer.concat(parts.slice(0, n)).length;
    const { records, damage } = codec.decodeRecords(Buffer.concat(parts));
    expect(records.map(({ offset }) => offset)).toEqual([0, at(2), at(4), at(6)]);
    expect(records.every(({ length }) => length === one.length)).toBe(true);
    expect(damage).toEqual([
      { offset: at(1), length: 12, kind: 'torn' },
      { offset: at(3), length: two.length, kind: 'damaged' },
      { offset: at(5), length: two.length, kind: 'damaged' },
    ]);
  });

  it('leaves a record that is still being written for later', () => {
    const [one, two] = [encodeRecord('{"n":1}'), encodeRecord('{"n":2}')];
    const early = decodeRecords(Buffer.concat([one, two.subarray(0, two.length - 1)]));
    expect(early).toEqual({ entries: [{ n: 1 }], consumed: one.length, damaged: 0 });
  });

  it('does not wait for ever for a record longer than any can be', () => {
    const endless = Buffer.concat([Buffer.from('\x1e'), Buffer.alloc(RECORD_CAP, 0x61)]);
    expect(decodeRecords(endless)).toEqual({ entries: [], consumed: endless.length, damaged: 1 });
  });

  it('skips bytes in front of the first separator', () => {
    const bytes = Buffer.concat([Buffer.from('half a record\n'), encodeRecord('1')]);
    expect(decodeRecords(bytes)).toEqual({ entries: [1], consumed: bytes.length, damaged: 1 });
    expect(decodeRecords(Buffer.from('nothing'))).toEqual({ entries: [], consumed: 0, damaged: 0 });
  });

  it('never invents a record and keeps all untouched ones when bytes flip anywhere', () => {
    const flip = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(
        fc.array(anyValue, { minLength: 1, maxLength: 12 }),
        fc.array(flip, { minLength: 1, maxLength: 6 }),
        (values, flips) => {
          const records = values.map((value) => encodeRecord(JSON.stringify(value)));
          const clean = Buffer.concat(records);
          const bytes = Buffer.from(clean);
          for (const { at, mask } of flips) {
            const index = at % bytes.length;
            bytes[index] = (bytes[index] ?? 0) ^ mask;
          }
          let offset = 0;
          const intact = records.flatMap((record, n) => {
            const now = bytes.subarray(offset, (offset += record.length));
            return now.equals(record) ? [JSON.stringify(values[n])] : [];
          });
          const decoded = decodeRecords(bytes);
          expect(jsonOf(decoded.entries)).toEqual(intact);
          expect(decoded.consumed).toBeLessThanOrEqual(bytes.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('survives arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { entries, consumed } = decodeRecords(Buffer.from(bytes));
        expect(entries).toEqual([]);
        expect(consumed).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it('gives the same records however the file is cut into reads', () => {
    const arbitraryPieces = fc.array(
      fc.oneof(
        anyValue.map((v) => encodeRecord(JSON.stringify(v))),
        fc.constant(Buffer.from('\x1ehalf')),
      ),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(arbitraryPieces, fc.array(fc.integer({ min: 1, max: 40 })), (pieces, steps) => {
        const bytes = Buffer.concat(pieces);
        const entries: unknown[] = [];
        let [seen, consumed] = [0, 0];
        for (const step of [...steps, bytes.length]) {
          seen = Math.min(bytes.length, seen + step);
          const decoded = decodeRecords(bytes.subarray(consumed, seen));
          entries.push(...decoded.entries);
          consumed += decoded.consumed;
        }
        expect(jsonOf(entries)).toEqual(jsonOf(decodeRecords(bytes).entries));
      }),
    );
  });
});

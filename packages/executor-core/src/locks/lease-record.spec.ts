import fc from 'fast-check';
import { parseRunId, parseTaskId } from '../model/ids';
import {
  encodeRecord,
  parseRecord,
  parseRecordName,
  recordName,
  type LeaseRecord,
  type WaitRecord,
  type WideRecord,
} from './lease-record';

const claim = {
  request: 'r-1',
  priority: 50,
  ttlMs: 60_000,
  run: parseRunId('PEXEC-1'),
  task: parseTaskId('landing_page'),
  owner: { pid: 7, startTime: '99', bootId: 'b', host: 'h' },
  access: { reads: ['src/**'], writes: ['docs/**'] },
  resources: [{ id: 'db', exclusive: true }],
  policy: 'wait',
} as const;
const lease: LeaseRecord = { token: 42, ...claim, slot: 3, grantedAt: 1 };
const wait: WaitRecord = { ticket: 43, ...claim, slots: [1, 2], requestedAt: 1 };

const wide: WideRecord = {
  wide: 44,
  token: 42,
  task: claim.task,
  writes: ['more/**'],
  grantedAt: 2,
};

const counted: LeaseRecord = {
  ...lease,
  resources: [{ id: 'gpu', exclusive: false, amount: 2, capacity: 4 }],
};

describe('records of the lock table', () => {
  it('have names that sort by age and say what they are', () => {
    expect(recordName(lease)).toBe('lease-0000000042-landing_page.json');
    expect(recordName(wait)).toBe('wait-0000000043-landing_page.json');
    expect(recordName(wide)).toBe('wide-0000000044-landing_page.json');
    expect(parseRecordName(recordName(lease))).toEqual({
      kind: 'lease',
      number: 42,
      task: 'landing_page',
    });
    expect(parseRecordName(recordName(wait))).toMatchObject({ kind: 'wait', number: 43 });
  });

  it('come back from their files as they were', () => {
    for (const record of [lease, wait, wide, counted, { ...lease, slot: null }]) {
      expect(parseRecord(recordName(record), encodeRecord(record))).toEqual(record);
    }
  });

  it('are not read from a file whose name says something else', () => {
    const text = encodeRecord(lease);
    expect(parseRecord('lease-0000000041-landing_page.json', text)).toBeNull();
    expect(parseRecord('lease-0000000042-other.json', text)).toBeNull();
    expect(parseRecord('wait-0000000042-landing_page.json', text)).toBeNull();
  });

  it.each(['table.lock', 'counter', 'lease-42-a.json', 'lease-0000000042.json', '.tmp-1-0'])(
    'do not claim the file name %s',
    (name) => {
      expect(parseRecordName(name)).toBeNull();
    },
  );

  it('ignore files with any other content, and never throw', () => {
    const name = recordName(lease);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constant('')), (text) => {
        expect(parseRecord(name, text)).toBeNull();
      }),
    );
  });

  it('ignore a record in which any one field is missing or damaged', () => {
    for (const key of Object.keys(lease)) {
      for (const value of [undefined, [1], { a: 1 }, 'x y']) {
        const text = JSON.stringify({ ...lease, [key]: value });
        expect([key, value, parseRecord(recordName(lease), text)]).toEqual([key, value, null]);
      }
    }
  });
});

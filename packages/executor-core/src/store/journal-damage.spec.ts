import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import { Random } from '../testing/simulation/random';
import { openJournal } from './journal';
import { readJournal } from './read-journal';

/** `npm run soak:journal` makes it 100,000, and cuts at every byte. */
const FLIPS = Number(process.env.PE_FLIPS ?? 500);
const STEP = process.env.PE_FLIPS === undefined ? 29 : 1;
const RECORDS = 200;

/** A journal of 200 events in several segments, as bytes by file name. */
async function sample(): Promise<ReadonlyMap<string, Buffer>> {
  const dir = fs.mkdtempSync(join(tmpdir(), 'journal-damage-'));
  const options = { fs: nodeFileSystem(), clock: nodeClock(), dir, writer: '1.a' };
  const journal = await openJournal({ ...options, segmentBytes: 6000 });
  for (let n = 0; n < RECORDS; n += 5) {
    await journal.append([n, n + 1, n + 2, n + 3, n + 4].map(eventOf));
  }
  await journal.close();
  const names = fs.readdirSync(dir);
  const segments = new Map(names.map((name) => [name, fs.readFileSync(join(dir, name))]));
  fs.rmSync(dir, { recursive: true });
  return segments;
}

function eventOf(n: number): RunEvent {
  const [task, note] = [parseTaskId(`task-${n % 7}`), 'é"\\'.repeat(n % 5)];
  return { type: 'task:progress', at: n, task, percent: n % 100, note };
}

/** Files that are held in memory. */
function inMemory(segments: ReadonlyMap<string, Buffer>): FileSystem {
  return {
    ...nodeFileSystem(),
    list: () => Promise.resolve([...segments.keys()]),
    readFrom: (path, offset) =>
      Promise.resolve(segments.get(basename(path))?.subarray(offset) ?? Buffer.alloc(0)),
  };
}

/** Throws unless what is read is a part of what was written, in order; how many they are. */
async function checked(segments: ReadonlyMap<string, Buffer>, what: string): Promise<number> {
  const { events } = await readJournal(inMemory(segments), '/');
  let last = -1;
  for (const event of events) {
    const genuine = JSON.stringify(event) === JSON.stringify(eventOf(event.at));
    if (!genuine || event.at <= last) throw new Error(`${what}: ${JSON.stringify(event)}`);
    last = event.at;
  }
  return events.length;
}

describe('a damaged journal', () => {
  let segments: ReadonlyMap<string, Buffer>;
  beforeAll(async () => {
    segments = await sample();
    expect(segments.size).toBeGreaterThan(2);
    expect(await checked(segments, 'whole')).toBe(RECORDS);
  });

  it('cut at any byte of any segment, is read without a throw or an invented event', async () => {
    for (const [name, bytes] of segments) {
      let most = 0;
      for (let cut = 0; cut <= bytes.length; cut += STEP) {
        const part = new Map(segments).set(name, bytes.subarray(0, cut));
        const count = await checked(part, `${name} cut at ${cut}`);
        if (count < most) throw new Error(`${name} cut at ${cut}: ${count} of ${most}`);
        most = count;
      }
      expect(most).toBeGreaterThanOrEqual(RECORDS - 1);
    }
  }, 900_000);

  it('with bytes changed anywhere, is read without a throw or an invented event, and little is lost', async () => {
    const random = new Random(1);
    const names = [...segments.keys()];
    for (let round = 0; round < FLIPS; round++) {
      const flipped = new Map(segments);
      const flips = 1 + random.below(4);
      for (let n = 0; n < flips; n++) {
        const name = random.pick(names);
        const bytes = Buffer.from(flipped.get(name) ?? Buffer.alloc(1));
        const at = random.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 + random.below(255));
        flipped.set(name, bytes);
      }
      const count = await checked(flipped, `round ${round}`);
      // A change that makes a separator, or takes one away, costs two records.
      if (count < RECORDS - 2 * flips) throw new Error(`round ${round}: ${count} are left`);
    }
  }, 3_600_000);
});

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { openJournal } from './journal';

const landed = (at: number): RunEvent => {
  return { type: 'task:landed', at, task: parseTaskId('a'), commit: null, tree: null };
};

it('a damaged part is kept under its place, once, and the segment stays as it is', async () => {
  const dir = fs.mkdtempSync(join(tmpdir(), 'damaged-'));
  const files = nodeFileSystem();
  const journal = await openJournal({ fs: files, clock: nodeClock(), dir, writer: '1.a' });
  try {
    await journal.append([landed(1), landed(2), landed(3)]);
    const segment = join(dir, 'journal-000001.log');
    const bytes = fs.readFileSync(segment);
    const at = bytes.indexOf('"at":2');
    bytes[at + 5] = 0x39;
    fs.writeFileSync(segment, bytes);
    fs.appendFileSync(segment, '\x1etorn');
    await journal.append([landed(4)]);
    const before = fs.readFileSync(segment);
    for (let n = 0; n < 2; n++) {
      expect((await journal.read()).map((event) => event.at)).toEqual([1, 3, 4]);
    }
    const start = bytes.lastIndexOf(0x1e, at);
    expect(fs.readdirSync(join(dir, 'damaged'))).toEqual([`journal-000001.log@${start}.txt`]);
    const kept = fs.readFileSync(join(dir, 'damaged', `journal-000001.log@${start}.txt`), 'utf8');
    expect(Buffer.from(kept, 'base64').toString()).toContain('"at":9');
    expect(fs.readFileSync(segment)).toEqual(before);
  } finally {
    await journal.close();
    fs.rmSync(dir, { recursive: true });
  }
});

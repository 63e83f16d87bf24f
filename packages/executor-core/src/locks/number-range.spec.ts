import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import { NumberRange } from './number-range';
import { createTableFiles, type TableFiles } from './table-files';

let folder: string;
let files: TableFiles;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'numbers-'));
  files = createTableFiles(nodeFileSystem(), nodeQuickFiles(), folder);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const onDisk = (): number => Number(readFileSync(join(folder, 'counter'), 'utf8'));

describe('the numbers of the lock table', () => {
  it('are never greater than what is on disk when they are given', async () => {
    const numbers = await NumberRange.open(files);
    let last = 0;
    for (let count = 0; count < 5_000; count += 1) {
      if (!numbers.has(1)) await numbers.refill(1);
      const number = numbers.next();
      expect(number).toBe(last + 1);
      last = number;
      if (count % 97 === 0) expect(onDisk()).toBeGreaterThanOrEqual(number);
    }
  });

  it('go on where they ended when they were closed, and beyond all that may have been given when not', async () => {
    const first = await NumberRange.open(files);
    first.next();
    await first.close();
    const second = await NumberRange.open(files);
    const given = second.next();
    expect(given).toBe(2);
    const afterACrash = await NumberRange.open(files);
    expect(afterACrash.next()).toBeGreaterThan(given + 900);
  });

  it('are there for as many as are needed at once', async () => {
    const numbers = await NumberRange.open(files);
    expect(numbers.has(50_000)).toBe(false);
    await numbers.refill(50_000);
    expect(numbers.has(50_000)).toBe(true);
    for (let count = 0; count < 50_000; count += 1) numbers.next();
    expect(onDisk()).toBeGreaterThanOrEqual(50_000);
  });

  it('are not given when they could not be written down', async () => {
    const numbers = await NumberRange.open(files);
    rmSync(folder, { recursive: true });
    while (numbers.has(1)) numbers.next();
    await expect(numbers.refill(1)).rejects.toThrow('taken over');
    expect(() => numbers.next()).toThrow('no number is reserved');
  });
});

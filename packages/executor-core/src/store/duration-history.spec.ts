import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { DurationSample } from '../graph/durations';
import { openDurationHistory } from './duration-history';

const fs = nodeFileSystem();
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'durations-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const sample = (key: string, at = 1, ok = true): DurationSample => ({
  key,
  taskType: null,
  project: 'shop',
  profile: 'x',
  ms: 5,
  at,
  ok,
});
const file = () => join(root, '.parallel', 'durations.jsonl');

describe('the history of durations', () => {
  it('is empty before the first run and then holds what was added, in order', async () => {
    const history = openDurationHistory(fs, root);
    expect(await history.read()).toEqual([]);
    await history.add(sample('a'));
    await history.add(sample('b', 2, false));
    expect(await openDurationHistory(fs, root).read()).toEqual([
      sample('a'),
      sample('b', 2, false),
    ]);
  });

  it('keeps what several writers add at the same time', async () => {
    const writers = Array.from({ length: 8 }, () => openDurationHistory(fs, root));
    await Promise.all(
      writers.flatMap((history, at) => [0, 1, 2].map((n) => history.add(sample(`${at}.${n}`)))),
    );
    expect(new Set((await openDurationHistory(fs, root).read()).map(({ key }) => key)).size).toBe(
      24,
    );
  });

  it('skips torn lines and what it does not understand, and loses nothing after them', async () => {
    const history = openDurationHistory(fs, root);
    await history.add(sample('a'));
    appendFileSync(file(), '{"key":"torn","ms":1');
    await history.add(sample('b'));
    appendFileSync(file(), 'null\n[1]\n{"key":7}\n{"key":"x","profile":"y","ms":"long"}\n');
    expect((await history.read()).map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('is cut to the latest samples of each task when it has grown', async () => {
    const old = Array.from({ length: 12_000 }, (_, at) =>
      sample(at % 2 === 0 ? 'even' : 'odd', at),
    );
    const rare = sample('rare', 0, false);
    mkdirSync(join(root, '.parallel'));
    writeFileSync(file(), [rare, ...old].map((one) => `${JSON.stringify(one)}\n`).join(''));
    const history = openDurationHistory(fs, root);
    await history.add(sample('new', 99_999));
    const kept = await history.read();
    expect(kept).toHaveLength(1 + 30 + 30 + 1);
    expect(kept[0]).toEqual(rare);
    expect(kept.at(-1)).toEqual(sample('new', 99_999));
    expect(Math.min(...kept.slice(1).map(({ at }) => at))).toBe(11_940);
    expect(statSync(file()).size).toBeLessThan(20_000);
  });
});

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import type { RunEvent } from '../model/event';
import type { Plan } from '../model/task';
import type { FileSystem } from '../ports/file-system';
import type { Journal } from '../ports/journal';
import { prepareProblem } from '../schedule/problem';
import { openJournal } from '../store/journal';
import { encodeRecord } from '../store/journal-codec';
import { segmentName } from '../store/run-dir';
import { CORE } from '../testing/simulation/core';
import { Random } from '../testing/simulation/random';
import { randomPlan } from '../testing/simulation/random-plan';
import { simulate } from '../testing/simulation/simulate';
import type { PackedFold, RecoveryFold } from './recovery-fold';
import { emptyFold, foldOn, packFold, unpackFold } from './recovery-fold';
import { foldJournal, snapshotsOf } from './snapshots';

/** `npm run soak:journal` makes it 3,000. */
const SEEDS = Number(process.env.PE_SEEDS ?? 300);

/** A generated run: its plan, and everything that happened in it. */
function simulated(seed: number): { readonly plan: Plan; readonly events: readonly RunEvent[] } {
  // The simulation makes its plan first of all from the seed.
  const plan = randomPlan(new Random(seed));
  return { plan, events: simulate(seed, CORE).journal };
}

/** Everything of a fold that can be compared. */
function outline(fold: RecoveryFold): Readonly<Record<string, unknown>> {
  const { ready } = fold.state;
  const ranks: number[] = [];
  ready.some((rank) => ranks.push(rank) < 0);
  return { ...packFold(fold), ready: ranks, classes: ready.classCounts() };
}

it('a fold that went through JSON half-way comes to the same as one over the whole, for any run', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { plan, events } = simulated(seed);
    const problem = prepareProblem(plan);
    const whole = outline(foldOn(emptyFold(problem), events));
    const cut = (seed * 7919) % (events.length + 1);
    const half = foldOn(emptyFold(problem), events.slice(0, cut));
    const stored = JSON.parse(JSON.stringify(packFold(half))) as PackedFold;
    const again = unpackFold(prepareProblem(plan), stored);
    if (again === null) throw new Error(`seed ${seed}: of no use`);
    expect({ seed, ...outline(again) }).toEqual({ seed, ...outline(half) });
    expect({ seed, ...outline(foldOn(again, events.slice(cut))) }).toEqual({ seed, ...whole });
  }
}, 900_000);

describe('snapshots of a journal', () => {
  const files = nodeFileSystem();
  let dir: string;
  let opened: Journal[];
  const snapshot = (): string => join(dir, 'snapshot.json');

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'snapshots-'));
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((journal) => journal.close()));
    fs.rmSync(dir, { recursive: true, force: true });
  });

  const open = async (writer: string, plan?: Plan, system: FileSystem = files) => {
    const snapshots = plan === undefined ? null : snapshotsOf(system, dir, plan);
    const journal = await openJournal({
      fs: system,
      clock: nodeClock(),
      dir,
      writer,
      segmentBytes: 4000,
      onSegment: snapshots?.take,
    });
    opened.push(journal);
    return { journal, settled: () => snapshots?.settled() };
  };
  /** Stores a generated run, a few events at a time, with a snapshot at each new segment. */
  const store = async (seed: number): Promise<ReturnType<typeof simulated>> => {
    const { plan, events } = simulated(seed);
    const { journal, settled } = await open('1.a', plan);
    for (let at = 0; at < events.length; at += 5) {
      await journal.append(events.slice(at, at + 5));
      if (at % 35 === 0) await settled();
    }
    await settled();
    return { plan, events };
  };
  const recovered = async (plan: Plan, system: FileSystem = files): Promise<unknown> => {
    const { journal } = await open('2.b', undefined, system);
    return outline(await foldJournal(system, dir, prepareProblem(plan), journal));
  };

  it('and the rest come to the same as the whole, for any run', async () => {
    let used = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const { plan, events } = await store(seed);
      expect(await recovered(plan)).toEqual(
        outline(foldOn(emptyFold(prepareProblem(plan)), events)),
      );
      used += Number(fs.existsSync(snapshot()));
      for (const journal of opened.splice(0)) await journal.close();
      fs.rmSync(dir, { recursive: true });
    }
    expect(used).toBeGreaterThan(15);
  }, 60_000);

  it('save reading what they count in', async () => {
    const { plan } = await store(3);
    const read: string[] = [];
    const watched: FileSystem = {
      ...files,
      readFrom: async (path, offset) => {
        const bytes = await files.readFrom(path, offset);
        if (bytes.length > 4096) read.push(path);
        return bytes;
      },
    };
    const segments = fs.readdirSync(dir).filter((name) => name.endsWith('.log'));
    expect(segments.length).toBeGreaterThan(1);
    await recovered(plan, watched);
    expect(read.filter((path) => path.endsWith('000001.log'))).toEqual([]);
  });

  it.each<[string, (text: string) => string]>([
    ['is damaged', (text) => text.replace('landed', 'lunded').replace('pending', 'panding')],
    ['is cut', (text) => text.slice(0, text.length / 2)],
    ['is of another version', (text) => text.replace('"schemaVersion":1', '"schemaVersion":2')],
    ['is empty', () => ''],
    ['is no object', () => '7'],
  ])('are ignored where one %s: the segments hold everything', async (_, change) => {
    const { plan, events } = await store(3);
    fs.writeFileSync(snapshot(), change(fs.readFileSync(snapshot(), 'utf8')));
    expect(await recovered(plan)).toEqual(outline(foldOn(emptyFold(prepareProblem(plan)), events)));
  });

  it('are ignored where a segment lost its end, and where a later one voids what they count in', async () => {
    const { plan } = await store(3);
    const first = join(dir, 'journal-000001.log');
    const bytes = fs.readFileSync(first);
    fs.truncateSync(first, bytes.length - 10);
    const { journal } = await open('3.c');
    const problem = prepareProblem(plan);
    const left = outline(foldOn(emptyFold(problem), await journal.read()));
    expect(await recovered(plan)).toEqual(left);
    fs.writeFileSync(first, bytes);
    const last = fs.readdirSync(dir).filter((name) => name.endsWith('.log')).length;
    const name = segmentName(last + 1);
    const voided = { segment: 'journal-000001.log', from: 500 };
    const head = { app: '0.1.0', follows: null, cause: 'failed', void: voided };
    const record = { v: 1, by: '1.a', head, event: { type: 'journal:segment', at: 1 } };
    fs.writeFileSync(join(dir, name), encodeRecord(JSON.stringify(record)));
    const counted = await journal.read();
    expect(counted.length).toBeLessThan(simulated(3).events.length);
    expect(await recovered(plan)).toEqual(outline(foldOn(emptyFold(problem), counted)));
  });

  it('that cannot be made leave the last one, and the run alone', async () => {
    const { plan, events } = simulated(3);
    const full: FileSystem = { ...files, writeAtomic: () => Promise.reject(new Error('ENOSPC')) };
    const { journal, settled } = await open('1.a', plan, full);
    await journal.append(events.slice(0, 40));
    await journal.append(events.slice(40));
    await settled();
    expect(fs.existsSync(snapshot())).toBe(false);
    expect(await recovered(plan)).toEqual(outline(foldOn(emptyFold(prepareProblem(plan)), events)));
  });
});

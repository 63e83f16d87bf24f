import { SilenceWatch } from './silence-watch';

const TTL_MS = 30_000;
let now: number;
let beats: Map<string, number | null>;
let looked: string[];
let watch: SilenceWatch<string>;

beforeEach(() => {
  now = 1_000_000;
  beats = new Map();
  looked = [];
  const clock = { now: () => now, after: () => () => undefined };
  watch = new SilenceWatch(clock, TTL_MS, (name) => ({
    ttlMs: TTL_MS,
    lastBeat: () => {
      looked.push(name);
      return Promise.resolve(beats.get(name) ?? null);
    },
  }));
});

/** Looks once a second for so long. */
async function watchFor(ms: number, ...names: readonly string[]): Promise<readonly string[]> {
  let found: readonly string[] = [];
  for (const end = now + ms; now < end; now += 1_000) found = await watch.find(names);
  return found;
}

describe('the watch for silence', () => {
  it('accuses nobody before it has been awake for longer than a heartbeat takes', async () => {
    beats.set('old', now - 10 * TTL_MS);
    expect(await watchFor(TTL_MS / 4, 'old')).toEqual([]);
    expect(await watchFor(TTL_MS / 4, 'old')).toEqual(['old']);
  });

  it('begins anew after a sleep of its own', async () => {
    beats.set('a', now);
    await watchFor(TTL_MS / 2, 'a');
    now += 3_600_000;
    expect(await watch.find(['a'])).toEqual([]);
    beats.set('a', now);
    expect(await watchFor(TTL_MS / 2, 'a')).toEqual([]);
  });

  it('begins anew when the clock was set back', async () => {
    beats.set('a', now - 2 * TTL_MS);
    await watchFor(TTL_MS, 'a');
    now -= 5_000;
    expect(await watch.find(['a'])).toEqual([]);
  });

  it('finds one that falls silent, not one that beats, nor one that has gone', async () => {
    beats.set('silent', now);
    for (let turn = 0; turn < 2 * TTL_MS; turn += 1_000) {
      beats.set('beating', now);
      await watchFor(1_000, 'silent', 'beating', 'gone');
    }
    expect(await watch.find(['silent', 'beating', 'gone'])).toEqual(['silent']);
    beats.set('silent', now);
    expect(await watch.find(['silent', 'beating', 'gone'])).toEqual([]);
  });

  it('asks for the heartbeats of all only now and then', async () => {
    for (const name of ['a', 'b']) beats.set(name, now);
    await watchFor(TTL_MS, 'a', 'b');
    expect(looked.length).toBeLessThan(2 * 10);
    expect(looked.length).toBeGreaterThan(2 * 3);
  });
});

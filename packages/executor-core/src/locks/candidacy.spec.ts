import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import type { ProcessIdentity } from '../model/process';
import { Candidacy } from './candidacy';
import { PROTOCOL } from './leader-messages';
import { cardPath } from './leader-office';

const self: ProcessIdentity = { pid: 1, startTime: '1', bootId: 'b', host: 'h' };
const dead = { ...self, pid: 2 };
const never = new AbortController().signal;
let root: string;
let folder: { readonly epoch: number; readonly path: string };
let onPause: () => void;
/** Wall-clock time, as files have it, plus what was waited. */
let waited: number;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'candidacy-'));
  folder = { epoch: 1, path: join(root, 'leases-1') };
  mkdirSync(folder.path);
  onPause = () => undefined;
  waited = 0;
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function candidacy(who: ProcessIdentity = self): Candidacy {
  const clock = {
    now: () => Date.now() + waited,
    after: (ms: number, callback: () => void) => {
      waited += ms;
      onPause();
      setImmediate(callback);
      return () => undefined;
    },
  };
  const processes = {
    self: () => who,
    identify: () => null,
    isAlive: ({ pid }: ProcessIdentity) => pid !== dead.pid,
  };
  return new Candidacy({ fs: nodeFileSystem(), quick: nodeQuickFiles(), clock, processes });
}

describe('of those who look for a leader', () => {
  it('the first is to try, and the next when it has given up', async () => {
    const first = candidacy();
    expect(await first.standBack(folder, null, never)).toBe(false);
    const others = candidacy({ ...self, pid: 3 });
    onPause = () => {
      if (waited > 100) first.withdraw(folder);
    };
    expect(await others.standBack(folder, null, never)).toBe(true);
    expect(readdirSync(folder.path)).toEqual([]);
    expect(await others.standBack(folder, null, never)).toBe(false);
  });

  it('the others are content when somebody leads', async () => {
    await candidacy().standBack(folder, null, never);
    const card = { protocol: PROTOCOL, address: 'unix:/x', owner: self, since: 0 };
    onPause = () => {
      writeFileSync(cardPath(folder), JSON.stringify(card));
    };
    expect(await candidacy().standBack(folder, null, never)).toBe(true);
    expect(waited).toBeLessThan(100);
    // The card of a leader that does not answer is no news.
    waited = 0;
    expect(await candidacy().standBack(folder, card, never)).toBe(true);
    expect(waited).toBeGreaterThan(1_000);
  });

  it('nobody waits for one that is dead', async () => {
    await candidacy(dead).standBack(folder, null, never);
    expect(await candidacy().standBack(folder, null, never)).toBe(true);
    expect(waited).toBe(0);
    expect(await candidacy().standBack(folder, null, never)).toBe(false);
  });

  it('nobody waits for ever for one that lives, and less for one without a name', async () => {
    await candidacy().standBack(folder, null, never);
    expect(await candidacy().standBack(folder, null, never)).toBe(true);
    expect(waited).toBeGreaterThan(1_000);
    writeFileSync(join(folder.path, 'candidate'), '');
    waited = 0;
    expect(await candidacy().standBack(folder, null, never)).toBe(true);
    expect(waited).toBeLessThan(1_000);
    // One at a time: the next waits for the one that tries now.
    expect(await candidacy().standBack(folder, null, never)).toBe(false);
    onPause = () => {
      rmSync(join(folder.path, 'candidate'), { force: true });
    };
    expect(await candidacy().standBack(folder, null, never)).toBe(true);
  });

  it('nobody waits for one from the future: the clock was set back since', async () => {
    for (const name of ['', JSON.stringify(self)]) {
      const path = join(folder.path, 'candidate');
      writeFileSync(path, name);
      const inTwoHours = Date.now() / 1000 + 7200;
      utimesSync(path, inTwoHours, inTwoHours);
      waited = 0;
      expect(await candidacy().standBack(folder, null, never)).toBe(true);
      expect(waited).toBe(0);
    }
  });

  it('nobody waits when it is to end', async () => {
    await candidacy().standBack(folder, null, never);
    expect(await candidacy().standBack(folder, null, AbortSignal.abort())).toBe(true);
  });
});

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { removeStaleRefLocks } from './stale-ref-locks';

describe('locks of refs that a killed git left', () => {
  let commonDir: string;
  let pauses: number;
  let onPause: () => void;
  const clock = {
    now: () => 0,
    after: (ms: number, callback: () => void) => {
      pauses += ms;
      onPause();
      setImmediate(callback);
      return () => undefined;
    },
  };
  beforeEach(() => {
    commonDir = mkdtempSync(join(tmpdir(), 'ref-locks-'));
    mkdirSync(join(commonDir, 'refs/parallel/PEXEC-1'), { recursive: true });
    pauses = 0;
    onPause = () => undefined;
  });
  afterEach(() => {
    rmSync(commonDir, { recursive: true });
  });

  const place = (name: string): string => join(commonDir, name);
  const clear = (): Promise<void> =>
    removeStaleRefLocks({ fs: nodeFileSystem(), clock }, { commonDir });

  it('go: those of our refs and of the packed ones, and no others', async () => {
    const ours = ['packed-refs.lock', 'refs/parallel/PEXEC-1/_integration.lock'].map(place);
    const theirs = [place('config.lock'), place('refs/heads.lock')];
    for (const lock of [...ours, ...theirs]) writeFileSync(lock, '');
    await clear();
    expect(ours.filter((lock) => existsSync(lock))).toEqual([]);
    expect(theirs.filter((lock) => existsSync(lock))).toEqual(theirs);
  });

  it('stay when a git that lives takes them meanwhile', async () => {
    const lock = place('packed-refs.lock');
    writeFileSync(lock, '');
    onPause = () => {
      writeFileSync(lock, 'somebody else');
    };
    await clear();
    expect(existsSync(lock)).toBe(true);
  });

  it('cost nothing where there are none', async () => {
    await clear();
    expect(pauses).toBe(0);
  });
});

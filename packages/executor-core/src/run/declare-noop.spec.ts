import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { declareNoop } from './declare-noop';

describe('declaring a no-op', () => {
  const fs = nodeFileSystem();

  it('leaves the reason where the attempt looks for it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parallel-noop-'));
    const file = join(folder, 'noop.txt');
    await declareNoop({ fs, env: { PARALLEL_NOOP_FILE: file } }, ' all routes are wired ');
    expect(await readFile(file, 'utf8')).toBe('all routes are wired\n');
    await expect(declareNoop({ fs, env: { PARALLEL_NOOP_FILE: file } }, ' ')).rejects.toThrow(
      'needs a reason',
    );
    await rm(folder, { recursive: true });
  });

  it('is for agents only', async () => {
    await expect(declareNoop({ fs, env: {} }, 'why')).rejects.toMatchObject({
      name: 'UserError',
      kind: 'usage',
    });
  });
});

import { fork, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { canMountOverlay } from '../testing/can-mount-overlay';
import { compileSources, MODULES } from '../testing/compiled-sources';
import { makeWorktreeRig, type WorktreeRig } from '../testing/worktree-rig';
import { sweepWorktrees } from './worktree-sweep';

const ROUNDS = Number(process.env['PE_KILL_ROUNDS'] ?? 20);
/** From the start of a child's work until it is killed, at most: some four worktrees come and go meanwhile. */
const LONGEST_LIFE_MS = 500;
const LAYERS = ['adapters', 'graph', 'isolate', 'merge', 'model', 'ports', 'testing'];

/** Makes and removes overlays in three slots at once, and tells of each text that it has written into one. */
const CHILD = `
const { writeFileSync } = require('node:fs');
const { createWorktreePool } = require('./isolate/worktree-pool.js');
const { siteOptions } = require('./testing/worktree-rig.js');
const [root, commit, round] = process.argv.slice(2);
const pool = createWorktreePool(siteOptions(root));
const way = { kind: 'overlay' };
async function work(slot) {
  for (let turn = 0; ; turn += 1) {
    const { path } = await pool.create({ slot, task: 'landing', commit, token: slot, way });
    const text = [round, slot, turn].join(' ');
    writeFileSync(path + '/dir/a.txt', text);
    process.send(text);
    await pool.remove(path);
  }
}
process.send('ready', () => {
  for (const slot of [1, 2, 3]) {
    work(slot).catch((error) => { process.send('failed: ' + error.stack); });
  }
});
`;

const canMount = canMountOverlay();
const why = canMount ? '' : ' (skipped: no overlay can be mounted here, which needs root on Linux)';

(canMount ? describe : describe.skip)(`overlays of a process that is killed${why}`, () => {
  let rig: WorktreeRig;
  let compiled: string;
  let child: ChildProcess | null = null;

  beforeAll(() => {
    compiled = mkdtempSync(join(tmpdir(), 'overlay-child-'));
    compileSources(compiled, LAYERS);
    writeFileSync(join(compiled, 'child.js'), CHILD);
  });
  afterAll(() => {
    rmSync(compiled, { recursive: true, force: true });
  });
  beforeEach(async () => {
    rig = await makeWorktreeRig({ 'dir/a.txt': 'one\n', 'b.txt': 'two\n' });
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await rig.pool.close();
    for (const at of await mounted()) await rig.options.mounts?.unmount(at);
    await rig.cleanup();
  });

  const mounted = async () => (await rig.options.mounts?.below(rig.inBase())) ?? [];
  // Killed early, it has not even made the folders.
  const left = async () =>
    (await rig.options.fs.list(rig.inBase())).filter((name) => !name.startsWith('.'));
  const changes = () => rig.options.fs.list(rig.inBase('.overlay'));

  /** Resolves with what the child had written when it was killed. */
  async function killedInRound(round: number): Promise<readonly string[]> {
    const args = [rig.root, rig.head, String(round)];
    const env = { ...process.env, NODE_PATH: MODULES };
    const own = fork(join(compiled, 'child.js'), args, { env, execArgv: [] });
    child = own;
    await once(own, 'message');
    const written: string[] = [];
    own.on('message', (text: string) => written.push(text));
    const timer = setTimeout(() => own.kill('SIGKILL'), randomInt(LONGEST_LIFE_MS));
    await once(own, 'close');
    clearTimeout(timer);
    expect(own.signalCode).toBe('SIGKILL');
    return written;
  }

  it(
    'leave no mount and no worktree behind, and all that was written in them is kept',
    async () => {
      const written: string[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        written.push(...(await killedInRound(round)));
        await sweepWorktrees(rig.newPool());
        expect([round, await mounted(), await left(), await changes()]).toEqual([
          round,
          [],
          [],
          [],
        ]);
        expect(await rig.git(['worktree', 'list'])).not.toContain('\n');
      }
      const kept = await Promise.all(
        (await rig.kept()).map((ref) => rig.git(['show', `${ref}:dir/a.txt`])),
      );
      expect(written.filter((text) => !kept.includes(text))).toEqual([]);
      expect(written.length).toBeGreaterThan(ROUNDS / 2);
    },
    10_000 * ROUNDS,
  );
});

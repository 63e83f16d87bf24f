import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { glanceAtTree } from '../isolate/snapshot-worktree';
import type { EventOf, Fact } from '../model/event';
import { parseTaskId } from '../model/ids';
import { HandClock } from '../testing/hand-clock';
import type { WorktreeRig } from '../testing/worktree-rig';
import { makeWorktreeRig } from '../testing/worktree-rig';
import { ConflictWatch } from './conflict-watch';
import { quarantineIn } from './quarantine';

let rig: WorktreeRig;
beforeEach(async () => {
  rig = await makeWorktreeRig({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
});
afterEach(async () => {
  await rig.pool.close();
  await rig.cleanup();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

interface WatchRig {
  readonly clock: HandClock;
  readonly facts: Fact[];
  readonly reads: () => number;
  readonly start: (
    name: string,
    slot: number,
  ) => Promise<{ readonly end: () => Promise<void>; readonly path: string }>;
  /** Lets the next look happen, and waits until it is over. */
  readonly look: () => Promise<void>;
}

function watchRig(everyMs: number | null = 30_000): WatchRig {
  const { options, head } = rig;
  const clock = new HandClock();
  const facts: Fact[] = [];
  let reads = 0;
  const folder = join(rig.root, '.git', 'ahead');
  const watch = new ConflictWatch({
    clock,
    everyMs,
    root: rig.root,
    quarantine: quarantineIn(folder, options.git, options.fs, options.commonDir),
    treeOf: async (git, worktree) => {
      reads += 1;
      return glanceAtTree({ ...options, git }, worktree);
    },
    tip: () => rig.git(['rev-parse', 'main']),
    emit: (fact) => {
      facts.push(fact);
      return Promise.resolve();
    },
  });
  return {
    clock,
    facts,
    reads: () => reads,
    start: async (name, slot) => {
      const task = parseTaskId(name);
      const { path } = await rig.pool.create({
        slot,
        task,
        commit: head,
        token: slot,
        way: { kind: 'full' },
      });
      return { ...watch.watch({ task, attempt: 1, worktree: path, base: head }), path };
    },
    look: async () => {
      clock.pass(30_000);
      await until(() => clock.waiting === 1);
    },
  };
}

const told = (facts: readonly Fact[]) =>
  facts
    .filter((fact): fact is EventOf<'conflict:ahead'> => fact.type === 'conflict:ahead')
    .map(({ tasks, paths }) => [...tasks, '|', ...paths].join(' '));

describe('the watch for coming conflicts', () => {
  it('tells a conflict once, and again when it is gone, and leaves no trace', async () => {
    const { start, look, facts } = watchRig();
    const one = await start('one', 1);
    const two = await start('two', 2);
    const objects = () => rig.git(['count-objects', '-v']);
    const before = await objects();
    const indexes = () =>
      Promise.all([one, two].map(({ path }) => rig.git(['ls-files', '-s'], path)));
    const staged = await indexes();
    await look();
    expect(facts).toEqual([]);
    await rig.write({ 'a.txt': 'mine\n', 'new.txt': 'new\n' }, one.path);
    await rig.write({ 'a.txt': 'yours\n', 'b.txt': 'b2\n' }, two.path);
    await look();
    await look();
    expect(told(facts)).toEqual(['one two | a.txt']);
    await writeFile(join(two.path, 'a.txt'), 'mine\n');
    await look();
    expect(told(facts)).toEqual(['one two | a.txt', 'one two |']);
    expect(await objects()).toBe(before);
    expect(await indexes()).toEqual(staged);
    expect(await rig.git(['status', '--porcelain'], one.path)).toBe(' M a.txt\n?? new.txt');
    await Promise.all([one.end(), two.end()]);
  });

  // A pair was named in the order in which the two happened to start.
  it('names a pair by the ids of its tasks, whichever of them began first', async () => {
    const { start, look, facts } = watchRig();
    const two = await start('two', 1);
    const one = await start('one', 2);
    await rig.write({ 'a.txt': 'mine\n' }, one.path);
    await rig.write({ 'a.txt': 'yours\n' }, two.path);
    await look();
    expect(told(facts)).toEqual(['one two | a.txt']);
    await Promise.all([one.end(), two.end()]);
  });

  it('tells of what landed since, also of the only agent', async () => {
    const { start, look, facts } = watchRig();
    const one = await start('one', 1);
    await writeFile(join(one.path, 'a.txt'), 'mine\n');
    await rig.commit({ 'a.txt': 'landed\n' }, 'landed');
    await look();
    expect(told(facts)).toEqual(['one | a.txt']);
    await one.end();
  });

  it('does not read the worktree of an only agent that nothing landed beside', async () => {
    const { start, look, reads } = watchRig();
    const one = await start('one', 1);
    await look();
    expect(reads()).toBe(0);
    await one.end();
  });

  it('goes on when a worktree cannot be read', async () => {
    const { start, look, facts } = watchRig();
    const [one, two, three] = [await start('one', 1), await start('two', 2), await start('x', 3)];
    await writeFile(join(one.path, 'a.txt'), 'mine\n');
    await writeFile(join(three.path, 'a.txt'), 'yours\n');
    await rig.options.fs.removeTree(two.path);
    await look();
    expect(told(facts)).toEqual(['one x | a.txt']);
    await Promise.all([one.end(), two.end(), three.end()]);
  });

  it('ends with the last attempt, and looks at nothing when it is off', async () => {
    const { start, clock } = watchRig();
    const one = await start('one', 1);
    expect(clock.waiting).toBe(1);
    await one.end();
    expect(clock.waiting).toBe(0);
    const off = watchRig(null);
    await off.start('two', 2);
    expect(off.clock.waiting).toBe(0);
  });
});

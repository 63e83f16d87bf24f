// One live look for coming conflicts over 25 dirty sparse worktrees of a repository of 2,600 files, by the built core.
// Every agent has changed, added and deleted files of its package, and a file that all of them share.
// Processor time, children included; the number of objects in the repository before and after.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { core } from '../lib/core.mjs';
import { measure } from '../lib/processor-time.mjs';
import { git, makeRepository, scratchFolder } from '../lib/repository.mjs';
import { tableText } from '../lib/table.mjs';
import { openPool, poolOptions } from '../lib/worktree-pool.mjs';

const AGENTS = 25;
const PACKAGES = 26;
const FILES = 100;
const GATE_MS = 4000;
const SHARED = 'packages/p0/f0.js';

/** Resolves with the number of gates that were missed. */
export async function benchSweep() {
  const folder = scratchFolder('bench');
  const rows = [];
  let missed = 0;
  try {
    for (const sharing of [5, AGENTS]) {
      const root = makeRepository(join(folder, `repository-${sharing}`), files());
      const { conflicts, wallMs, cpuMs, left } = await sweepOnce(root, sharing);
      if (cpuMs > GATE_MS || left !== 0 || conflicts !== (sharing * (sharing - 1)) / 2) missed += 1;
      rows.push(
        [sharing, conflicts, Math.round(wallMs), Math.round(cpuMs), left, GATE_MS].map(String),
      );
    }
  } finally {
    console.log(`${AGENTS} dirty sparse worktrees of ${PACKAGES * FILES} files: one look`);
    const head = ['share a file', 'conflicts', 'wall ms', 'cpu ms', 'objects left', 'gate cpu ms'];
    console.log(tableText(head, rows));
    rmSync(folder, { recursive: true, force: true });
  }
  return missed;
}

async function sweepOnce(root, sharing) {
  const options = poolOptions(root);
  const pool = openPool(options);
  const base = git(root, 'rev-parse', 'HEAD');
  const worktrees = [];
  for (let slot = 1; slot <= AGENTS; slot += 1) {
    const way = { kind: 'sparse', cone: [`packages/p${slot}`, 'packages/p0'] };
    const task = `task-${slot}`;
    const { path } = await pool.create({ slot, task, commit: base, token: slot, way });
    dirty(path, slot, slot <= sharing);
    worktrees.push({ task, path });
  }
  const objects = git(root, 'count-objects', '-v');
  const { result, wallMs, cpuMs } = await measure(() =>
    look(root, options, base, worktrees, () => pool.site()),
  );
  const left = git(root, 'count-objects', '-v') === objects ? 0 : 1;
  await pool.close();
  return { conflicts: result, wallMs, cpuMs, left };
}

/** Starts a watch whose clock is moved by hand, has it look once, and counts what it tells. */
async function look(root, options, base, worktrees, site) {
  const { quarantineIn } = core('run/quarantine');
  const { ConflictWatch } = core('run/conflict-watch');
  const { glanceAtTree } = core('isolate/snapshot-worktree');
  const told = new Set();
  const timers = [];
  let wake = () => undefined;
  const watch = new ConflictWatch({
    clock: {
      now: () => Date.now(),
      after: (_ms, callback) => {
        timers.push(callback);
        wake();
        return () => undefined;
      },
    },
    everyMs: 30_000,
    root,
    quarantine: quarantineIn(
      join(root, '.parallel/ahead'),
      options.git,
      options.fs,
      options.commonDir,
    ),
    treeOf: async (quarantined, worktree) =>
      glanceAtTree({ ...(await site()), git: quarantined }, worktree),
    tip: async () => base,
    emit: async ({ tasks, paths }) => {
      if (paths.includes(SHARED)) told.add(tasks.join());
    },
  });
  const attempts = worktrees.map(({ task, path }) =>
    watch.watch({ task, attempt: 1, worktree: path, base }),
  );
  const over = new Promise((resolve) => (wake = resolve));
  timers.shift()();
  await over;
  await Promise.all(attempts.map((attempt) => attempt.end()));
  return told.size;
}

function dirty(path, slot, shares) {
  const own = join(path, 'packages', `p${slot}`);
  for (let at = 0; at < 5; at += 1) appendFileSync(join(own, `f${at}.js`), `// by ${slot}\n`);
  writeFileSync(join(own, 'new.js'), `// new, by ${slot}\n`);
  rmSync(join(own, 'f9.js'));
  if (shares) appendFileSync(join(path, SHARED), `// by ${slot}\n`);
}

function* files() {
  for (let place = 0; place < PACKAGES; place += 1) {
    for (let at = 0; at < FILES; at += 1) {
      const text = `export const value${place}x${at} = ${at};\n`.repeat(48);
      yield [`packages/p${place}/f${at}.js`, text];
    }
  }
}

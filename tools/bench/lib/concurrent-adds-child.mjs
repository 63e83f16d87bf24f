// A child of concurrent-adds.mjs: makes and removes worktrees in one slot, and answers with the messages of what
// failed.   node concurrent-adds-child.mjs ROOT SLOT ROUNDS
import { git } from './repository.mjs';
import { openPool, poolOptions } from './worktree-pool.mjs';

const [root, slot, rounds] = process.argv.slice(2);
const pool = openPool(poolOptions(root));
const commit = git(root, 'rev-parse', 'HEAD');
const failures = [];
for (let round = 1; round <= Number(rounds); round += 1) {
  try {
    const task = `round-${round}`;
    const { path } = await pool.create({ slot: Number(slot), task, commit, token: round });
    const status = git(path, 'status', '--porcelain');
    if (status !== '') throw new Error(`a fresh worktree is not clean: ${status}`);
    await pool.remove(path);
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
}
await pool.close();
process.send(failures, () => process.disconnect());

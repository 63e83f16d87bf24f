import { realpathSync } from 'node:fs';
import type { ProcessIdentity } from '../model/process';
import type { ProcessTree, ProcessTrees } from '../ports/processes';
import type { ProcessRow, ProcessTable } from './node-process-table';
import { procTable, psTable } from './node-process-table';
import { isOlder, membersOf, withoutSiblings } from './node-process-tree';

/** So often a tree is looked at again while it is frozen; what still grows then outruns us. */
const MOST_ROUNDS = 100;

/** Trees of processes of this machine; `self` is this process. */
export function nodeProcessTrees(
  self: ProcessIdentity,
  table: ProcessTable = process.platform === 'linux' ? procTable() : psTable(),
): ProcessTrees {
  const find = (tree: ProcessTree, how: 'now' | 'recent'): readonly ProcessRow[] => {
    const known = withoutSiblings(table.rows(how), tree, self.pid);
    const rows = how === 'now' ? known : freshen(known, tree, table);
    return membersOf(tree, rows, table, self.pid);
  };
  return {
    signalTree(given, signal) {
      const tree = { ...given, folder: real(given.folder), output: real(given.output) };
      const { leader } = tree;
      if (leader !== null && (leader.host !== self.host || leader.bootId !== self.bootId)) return 0;
      if (signal === 0) return find(tree, 'recent').length;
      if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') return send(find(tree, 'now'), signal);
      const frozen = freeze(() => find(tree, 'now'));
      return signal === 'SIGKILL' ? send(frozen, signal) : frozen.length;
    },
  };
}

/** Stops every member where it is: whoever is stopped forks no more, so the rounds come to an end. */
function freeze(find: () => readonly ProcessRow[]): readonly ProcessRow[] {
  const frozen = new Map<string, ProcessRow>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const fresh = find().filter((row) => !frozen.has(`${row.pid} ${row.startTime}`));
    if (fresh.length === 0) break;
    send(fresh, 'SIGSTOP');
    for (const row of fresh) frozen.set(`${row.pid} ${row.startTime}`, row);
  }
  return [...frozen.values()];
}

/** How many were there to take it. */
function send(rows: readonly ProcessRow[], signal: NodeJS.Signals): number {
  let reached = 0;
  for (const { pid } of rows) {
    try {
      process.kill(pid, signal);
      reached += 1;
    } catch {
      // It ended meanwhile, or belongs to another user, whom we may not signal.
    }
  }
  return reached;
}

/**
 * Looks again at those whose place may have changed since: what is older than the tree, or carries a
 * mark, is what it is for life.
 */
function freshen(
  rows: readonly ProcessRow[],
  tree: ProcessTree,
  table: ProcessTable,
): readonly ProcessRow[] {
  return rows.flatMap((row) =>
    isOlder(row, tree) || table.markOf(row) !== null ? row : (table.row(row.pid) ?? []),
  );
}

/** As the kernel names it: with every symbolic link resolved. */
function real(path: string | null): string | null {
  if (path === null) return null;
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

import type { ProcessMark } from '../model/process';
import { outputPipe } from '../model/process';
import type { ProcessTree } from '../ports/processes';
import type { ProcessDetails, ProcessRow } from './node-process-table';
import { brandOf } from './process-brand';

/** Who adopts orphans beside process 1: the manager of a person's session (PR_SET_CHILD_SUBREAPER). */
const SUBREAPER = 'systemd';

/**
 * The living processes of a tree, by the rules of `ProcessTrees`. `self` is the pid of whoever asks:
 * neither it nor an ancestor of it is ever a member.
 */
export function membersOf(
  tree: ProcessTree,
  rows: readonly ProcessRow[],
  details: ProcessDetails,
  self: number,
): readonly ProcessRow[] {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const spared = ancestorsOf(self, byPid);
  const candidates = rows.filter(
    (row) => !row.zombie && !spared.has(row.pid) && !isOlder(row, tree),
  );
  const members = new Set<ProcessRow>();
  const group = groupOf(tree, byPid);
  const brand = tree.mark === null ? null : brandOf(tree.mark);
  for (const row of candidates) {
    const inGroup = row.pid === group || row.group === group || row.session === group;
    const isMarked = carries(tree.mark, details.markOf(row));
    if (inGroup || isMarked || (brand !== null && details.brandOf(row) === brand)) members.add(row);
  }
  addDescendants(members, candidates);
  for (const row of candidates) {
    if (!members.has(row) && details.markOf(row) === null && strayed(row, tree, byPid, details))
      members.add(row);
  }
  addDescendants(members, candidates);
  return [...members];
}

/** Id of the tree's group and session; `null` when the number is somebody else's by now. */
function groupOf({ leader }: ProcessTree, byPid: ReadonlyMap<number, ProcessRow>): number | null {
  if (leader === null) return null;
  const now = byPid.get(leader.pid);
  // The kernel gives a number away again only when no group and no session bears it any longer.
  return now === undefined || sameStart(now, leader.startTime) ? leader.pid : null;
}

function carries(wanted: ProcessMark | null, mark: ProcessMark | null): boolean {
  return wanted !== null && wanted.run === mark?.run && wanted.task === mark.task;
}

/** Left its group, its parent and its mark, but not its output or its folder. */
function strayed(
  row: ProcessRow,
  { leader, folder, output }: ProcessTree,
  byPid: ReadonlyMap<number, ProcessRow>,
  details: ProcessDetails,
): boolean {
  if (leader === null) return false;
  if (output !== null && details.outputsOf(row).includes(outputPipe(output))) return true;
  if (folder === null || row.hasTerminal) return false;
  const adopted = row.parent === 1 || byPid.get(row.parent)?.name === SUBREAPER;
  if (!adopted) return false;
  const at = details.folderOf(row);
  return at !== null && (at === folder || at.startsWith(`${folder}/`));
}

function addDescendants(members: Set<ProcessRow>, candidates: readonly ProcessRow[]): void {
  const pids = new Set([...members].map(({ pid }) => pid));
  for (let grown = pids.size > 0; grown;) {
    grown = false;
    for (const row of candidates) {
      if (pids.has(row.pid) || !pids.has(row.parent)) continue;
      pids.add(row.pid);
      members.add(row);
      grown = true;
    }
  }
}

/**
 * Without what is below other children of `self` than the tree's leader: whoever loses its parent goes to
 * process 1 or a subreaper above, never to a child beside it. With many trees at work these are most.
 */
export function withoutSiblings(
  rows: readonly ProcessRow[],
  { leader }: ProcessTree,
  self: number,
): readonly ProcessRow[] {
  if (leader === null) return rows;
  const parents = new Map(rows.map(({ pid, parent }) => [pid, parent]));
  const isBelowSibling = (row: ProcessRow): boolean => {
    let pid = row.pid;
    // Rows are not all of one moment, so parents may lead in a circle.
    for (let steps = rows.length; steps > 0 && pid !== leader.pid; steps -= 1) {
      const parent = parents.get(pid);
      if (parent === undefined) return false;
      if (parent === self) return true;
      pid = parent;
    }
    return false;
  };
  return rows.filter((row) => !isBelowSibling(row));
}

function ancestorsOf(self: number, byPid: ReadonlyMap<number, ProcessRow>): ReadonlySet<number> {
  const found = new Set([1, self]);
  for (let pid = byPid.get(self)?.parent; pid !== undefined && pid > 1;) {
    if (found.has(pid)) break;
    found.add(pid);
    pid = byPid.get(pid)?.parent;
  }
  return found;
}

/** `true` on proof that the process was there before the tree: it can be nobody's child in it. */
export function isOlder(row: ProcessRow, { leader }: ProcessTree): boolean {
  if (leader === null) return false;
  const [mine, first] = [Number(row.startTime || NaN), Number(leader.startTime || NaN)];
  return mine < first;
}

function sameStart({ startTime }: ProcessRow, leader: string): boolean {
  return startTime === '' || startTime === leader;
}

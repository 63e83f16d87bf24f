import { findKept } from '../merge/land';
import type { Candidate } from '../model/event';
import type { RunId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import { taskKey } from '../plan/task-key';
import { readBundle } from '../store/result-bundle';
import type { Engine } from './engine';

/**
 * The candidate of an attempt whose process died between its last check and the journal. The result
 * bundle is written when all checks have passed, so one that names a commit kept under this
 * attempt's own lease proves that the work is done: it lands, and no agent works on it again. `null`
 * when there is none. The fence is `token`, the lease it was made under.
 */
export async function finishedWork(
  engine: Engine,
  plan: Plan,
  run: RunId,
  task: Task,
  token: number,
): Promise<Candidate | null> {
  const { tools, repository, state } = engine;
  const { bundle } = await readBundle(tools.fs, state.outDir, task.id);
  if (bundle === null || bundle.key !== taskKey(plan, task)) return null;
  const { base, commit, tree, noop, files, fileCount } = bundle;
  if (commit === undefined || tree === undefined) return null;
  const place = { run, task: task.id, fence: token };
  const ref = await findKept(tools.git, repository.root, place, commit);
  return ref === null ? null : { ref, commit, tree, base, fence: token, noop, files, fileCount };
}

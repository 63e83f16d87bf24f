import { join } from 'node:path';
import { candidatePatch } from '../merge/candidate-patch';
import type { Candidate } from '../model/event';
import type { RunId } from '../model/ids';
import type { Plan } from '../model/task';
import { taskKey } from '../plan/task-key';
import { makeStateDir } from '../store/run-dir';
import { writeBundle } from '../store/result-bundle';
import type { AttemptScene } from './attempt-context';
import { candidateMessage } from './candidate-step';
import type { Engine } from './engine';

/**
 * Writes the result bundle of a finished task: what lets another process, run or machine land the
 * same change without running the agent again.
 */
export async function saveBundle(
  engine: Engine,
  plan: Plan,
  run: RunId,
  scene: AttemptScene,
  candidate: Candidate,
): Promise<void> {
  const { git, fs } = engine.tools;
  await makeStateDir(
    engine.tools,
    engine.repository.root,
    join(engine.state.outDir, scene.task.id),
  );
  const { root } = engine.repository;
  const { base, commit, tree, noop, files, fileCount } = candidate;
  const patch = await candidatePatch(git, root, candidate);
  await writeBundle(fs, engine.state.outDir, {
    task: scene.task.id,
    key: taskKey(plan, scene.task),
    base,
    commit,
    tree,
    noop,
    files: files.map((path) => engine.redactor.text(path)),
    fileCount,
    message: candidateMessage(run, scene, engine.redactor),
    patch,
  });
}

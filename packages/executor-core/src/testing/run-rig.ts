import { nodeToolbox } from '../create-executor';
import type { RunEvent } from '../model/event';
import type { RunResult } from '../model/result';
import { openEngine } from '../run/engine';
import type { Run } from '../run/run';
import { startRun } from '../run/run';
import type { Files, TestRepository } from './git-repository';
import { makeRepository } from './git-repository';
import type { PlanDraft } from './plan';
import { planOf } from './plan';

/** A real repository in which plans run with real processes. */
export interface RunRig {
  readonly repository: TestRepository;
  readonly root: string;
  git(...args: string[]): Promise<string>;
  start(draft: PlanDraft): Promise<Run>;
  /** Runs to the end; `events` is everything that happened. */
  run(
    draft: PlanDraft,
  ): Promise<{ readonly result: RunResult; readonly events: readonly RunEvent[] }>;
  done(): Promise<void>;
}

export async function makeRunRig(files?: Files): Promise<RunRig> {
  const repository = await makeRepository(files);
  const { root } = repository;
  const start = async (draft: PlanDraft): Promise<Run> => {
    const plan = planOf(draft);
    const engine = await openEngine(nodeToolbox(), root, plan.settings.lockTimeoutMs);
    return startRun(engine, plan, { frontDoor: 'api' });
  };
  return {
    repository,
    root,
    git: (...args) => repository.git(args),
    start,
    run: async (draft) => {
      const started = await start(draft);
      const events: RunEvent[] = [];
      started.events.on((event) => events.push(event));
      return { result: await started.done, events };
    },
    done: () => repository.cleanup(),
  };
}

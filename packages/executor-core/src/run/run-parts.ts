import type { DurationModel } from '../graph/durations';
import type { WorktreePool } from '../isolate/worktree-pool';
import type { FrontDoor } from '../model/event';
import type { RunId } from '../model/ids';
import type { Plan } from '../model/task';
import type { Journal } from '../ports/journal';
import type { RunState } from '../schedule/run-state';
import type { Activity } from './activity';
import type { Claim } from './claim';
import type { DiskGuard } from './disk-guard';
import type { Integration } from './integration';
import type { Lander } from './lander';
import type { RunLoop } from './run-loop';
import type { Verifier } from './verifier';

/** The parts of a live run, wired to each other. */
export interface RunParts {
  readonly loop: RunLoop;
  readonly activity: Activity;
  readonly integration: Integration;
  readonly lander: Lander;
  readonly pool: WorktreePool;
  readonly verifier: Verifier | null;
  readonly guard: DiskGuard;
  /** Resolves when everything the run started has ended and what it learned is written. */
  readonly settle: () => Promise<void>;
}

export interface AssembleOptions {
  readonly run: RunId;
  readonly plan: Plan;
  readonly journal: Journal;
  readonly frontDoor: FrontDoor;
  readonly claim: Claim;
  /** Where `plan` is a part: the whole, for candidates of other processes. */
  readonly wholePlan?: Plan;
  /** State to go on from; a fresh one for a new run. */
  readonly state?: RunState;
  /** Its worktrees, where they were looked at already. */
  readonly pool?: WorktreePool;
  /** What is known of how long its tasks take; looked up by default. */
  readonly durations?: DurationModel;
}

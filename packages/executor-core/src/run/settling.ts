import type { Plan } from '../model/task';
import { openDurationHistory } from '../store/duration-history';
import { prepareCandidates } from '../merge/candidate';
import type { WorktreePool } from '../isolate/worktree-pool';
import type { Activity } from './activity';
import type { Engine } from './engine';
import type { Integration } from './integration';
import { recordDurations } from './learn-durations';
import type { RunLoop } from './run-loop';
import { worktreesToCome } from './state-queries';
import { WorktreeStock } from './worktree-stock';

interface Listened {
  readonly loop: RunLoop;
  readonly integration: Integration;
  readonly pool: WorktreePool;
  readonly activity: Activity;
}

/**
 * Has the run listened to by what works beside it: durations are learned, worktrees made ahead. Returns
 * how the run and all of that come to their end.
 */
export function settlingOf(
  { tools, repository }: Engine,
  plan: Plan,
  { loop, integration, pool, activity }: Listened,
): () => Promise<void> {
  const durations = recordDurations(openDurationHistory(tools.fs, repository.root), plan);
  loop.on(durations.take);
  const tip = (): Promise<string> => integration.tip();
  const wanted = (): number => worktreesToCome(loop.current);
  const prepare = (): Promise<void> => prepareCandidates(tools.git, repository.root);
  const stock = new WorktreeStock({ clock: tools.clock, pool, prepare, tip, wanted });
  loop.on(stock.take);
  return async () => {
    await activity.settle();
    await Promise.all([stock.close(), durations.settled()]);
  };
}

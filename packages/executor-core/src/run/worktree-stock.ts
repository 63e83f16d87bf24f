import type { WorktreePool } from '../isolate/worktree-pool';
import type { RunEvent, RunEventType } from '../model/event';
import type { Clock } from '../ports/clock';

export interface WorktreeStockDeps {
  readonly clock: Clock;
  readonly pool: Pick<WorktreePool, 'addSpare'>;
  /** Has whatever an attempt's end asks for once ready; never rejects. */
  readonly prepare: () => Promise<void>;
  /** Commit the next attempt starts from. */
  readonly tip: () => Promise<string>;
  /** How many worktrees will be needed that are not there yet. */
  readonly wanted: () => number;
}

/** How long nothing must have begun or ended: who waits for a worktree, or to hand in, comes first. */
const QUIET_MS = 50;

const DISTURBING: ReadonlySet<RunEventType> = new Set([
  'task:leased',
  'task:started',
  'process:started',
  'task:verifying',
  'task:queued',
  'task:landed',
  'attempt:failed',
]);

/** Has made ready what comes next, worktrees above all, while the agents at work leave the machine idle. */
export class WorktreeStock {
  private cancel: (() => void) | null = null;
  private filling: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly deps: WorktreeStockDeps) {}

  /** Listens to the run. */
  readonly take = (event: RunEvent): void => {
    if (this.closed || !DISTURBING.has(event.type)) return;
    this.cancel?.();
    this.cancel = this.deps.clock.after(QUIET_MS, () => {
      this.cancel = null;
      this.filling = this.filling.then(() => this.fill());
    });
  };

  /** Makes no more; resolves when the last is made. */
  close(): Promise<void> {
    this.closed = true;
    this.cancel?.();
    return this.filling;
  }

  /** Until there are enough, or something happens. */
  private async fill(): Promise<void> {
    const { pool, prepare, tip, wanted } = this.deps;
    await prepare();
    const isQuiet = (): boolean => !this.closed && this.cancel === null;
    while (isQuiet() && wanted() > 0) {
      const commit = await tip().catch(() => null);
      if (commit === null || !isQuiet() || !(await pool.addSpare(commit, wanted()))) return;
    }
  }
}

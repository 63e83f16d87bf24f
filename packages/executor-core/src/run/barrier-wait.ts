import type { EventOf, RunEvent } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Plan } from '../model/task';
import type { TaskStateName } from '../model/task-state';
import { UserError } from '../model/user-error';
import type { Clock } from '../ports/clock';
import type { Processes } from '../ports/processes';
import { listText } from '../report/duration-text';
import { emptyView, RunFold } from '../report/fold';
import { problemOf } from '../report/run-result';
import type { RunView } from '../report/run-view';
import { isTaskSettled } from '../report/run-view';
import type { RunReader } from './run-reader';

/** So often a waiter looks whether the run still has a process. */
const OWNER_POLL_MS = 1000;

/**
 * How waiting ended. `opened`: everything up to the barrier landed. `broken`: it will never open.
 * `over`: the run ended before. `gone`: its process did, and `resume` can go on. `left`: the waiter
 * went away. `timeout`: none of these in time; the run is not touched by that.
 */
export type BarrierOutcome = 'opened' | 'broken' | 'over' | 'gone' | 'timeout' | 'left';

export interface BarrierWait {
  readonly run: RunId;
  readonly barrier: string;
  readonly outcome: BarrierOutcome;
  /** Why it is not open, for people; `null` when it is. */
  readonly reason: string | null;
  /** Tasks up to the barrier that have not landed. */
  readonly open: readonly { readonly task: TaskId; readonly state: TaskStateName }[];
  readonly waitedMs: number;
}

export interface BarrierWaitOptions {
  /** Default: the plan's `barrier_timeout`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** How a waiter says that it waits: an agent does, so that the scheduler sees a dead lock. */
export interface BarrierDoor {
  /** The task whose agent waits; `null` for anybody else. */
  readonly waiter: TaskId | null;
  readonly report: (type: 'barrier:waiting' | 'barrier:left') => Promise<void>;
}

interface WaitTools {
  readonly clock: Clock;
  readonly processes: Pick<Processes, 'isAlive'>;
}

type Ended = Pick<BarrierWait, 'outcome' | 'reason'>;

/**
 * Waits until the barrier of a phase opens, by following the journal; works from any process. Rejects
 * with `UserError` when the plan has no such phase.
 */
export async function waitAtBarrier(
  tools: WaitTools,
  reader: RunReader,
  barrier: string,
  door: BarrierDoor,
  options: BarrierWaitOptions = {},
): Promise<BarrierWait> {
  const { plan, id: run } = reader;
  requirePhase(plan, barrier);
  const watch = new BarrierWatch(plan, barrier, door.waiter);
  const startedAt = tools.clock.now();
  watch.take(await reader.events());
  const answer = (ended: Ended): BarrierWait => {
    const waitedMs = Math.max(0, tools.clock.now() - startedAt);
    return { run, barrier, ...ended, open: watch.open(), waitedMs };
  };
  const known = watch.verdict() ?? ownerVerdict(tools, reader, watch);
  if (known !== null) return answer(known);
  const announced = door.waiter !== null;
  if (announced) await door.report('barrier:waiting');
  try {
    return answer(await untilDecided(tools, reader, watch, options));
  } finally {
    if (announced) await door.report('barrier:left');
  }
}

/** After these a barrier that was broken may open; if not, it is reported broken again. */
const MENDING: ReadonlySet<RunEvent['type']> = new Set([
  'task:reopened',
  'run:resized',
  'barrier:left',
]);

/** What is known of a barrier: a fold over the journal. */
class BarrierWatch {
  private fold: RunFold;
  private readonly owners: ProcessIdentity[] = [];
  private shared = false;
  private broken: EventOf<'barrier:broken'> | null = null;
  private readonly members: ReadonlySet<TaskId>;

  constructor(
    private readonly plan: Plan,
    private readonly barrier: string,
    private readonly waiter: TaskId | null,
  ) {
    this.fold = new RunFold(emptyView(plan));
    const upTo = plan.phases.indexOf(barrier);
    const members = plan.tasks.filter(
      ({ phase }) => phase !== null && plan.phases.indexOf(phase) <= upTo,
    );
    this.members = new Set(members.map(({ id }) => id));
  }

  take(events: readonly RunEvent[]): void {
    for (const event of events) this.takeOne(event);
  }

  /** Forgets what it took, to begin with the journal's first event again. */
  restart(): void {
    this.fold = new RunFold(emptyView(this.plan));
    this.owners.length = 0;
    this.broken = null;
  }

  open(): BarrierWait['open'] {
    return [...this.fold.view.tasks.values()].flatMap(({ id, state }) =>
      this.members.has(id) && state !== 'landed' ? { task: id, state } : [],
    );
  }

  /** `null` while it may still open. */
  verdict(): Ended | null {
    const { view } = this.fold;
    const open = this.open();
    if (view.id !== null && open.length === 0) return { outcome: 'opened', reason: null };
    const reason = this.breakage(view, open);
    if (reason !== null) return { outcome: 'broken', reason };
    if (view.outcome === null) return null;
    return { outcome: 'over', reason: `the run has ended (${view.outcome}) without it` };
  }

  /** `true` when none of the processes that drive the run is alive; Nx starts them as it goes on. */
  isOrphaned(isAlive: (owner: ProcessIdentity) => boolean): boolean {
    return !this.shared && this.owners.length > 0 && !this.owners.some(isAlive);
  }

  private takeOne(event: RunEvent): void {
    this.fold.apply(event);
    if (event.type === 'run:started') this.shared = event.frontDoor === 'nx';
    if ('owner' in event) this.owners.push(event.owner);
    if (event.type === 'barrier:broken' && event.barrier === this.barrier) this.broken = event;
    if (MENDING.has(event.type)) this.broken = null;
  }

  private breakage(view: RunView, open: BarrierWait['open']): string | null {
    if (this.waiter !== null && this.members.has(this.waiter))
      return `${this.waiter}, which waits, has to land first itself`;
    const dead = open.flatMap(({ task }) => view.tasks.get(task) ?? []).filter(isTaskSettled);
    // Rather a cause than what it blocks.
    const cause = dead.find(({ state }) => state !== 'blocked') ?? dead[0];
    if (cause !== undefined) return `${cause.id} is ${cause.state}: ${problemOf(cause)}`;
    return this.broken?.reason ?? null;
  }
}

function untilDecided(
  tools: WaitTools,
  reader: RunReader,
  watch: BarrierWatch,
  { timeoutMs = reader.plan.settings.barrierTimeoutMs, signal }: BarrierWaitOptions,
): Promise<Ended> {
  const { clock } = tools;
  const stops: (() => void)[] = [];
  // The reader tells the whole journal once more.
  watch.restart();
  return new Promise<Ended>((resolve) => {
    const onAbort = (): void => {
      resolve({ outcome: 'left', reason: 'nobody waits any longer' });
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    stops.push(() => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted === true) onAbort();
    stops.push(
      reader.follow((events) => {
        watch.take(events);
        const verdict = watch.verdict();
        if (verdict !== null) resolve(verdict);
      }),
    );
    stops.push(
      clock.after(timeoutMs, () => {
        resolve({ outcome: 'timeout', reason: openText(watch) });
      }),
    );
    let stopPolling = (): void => undefined;
    const poll = (): void => {
      const gone = ownerVerdict(tools, reader, watch);
      if (gone !== null) resolve(gone);
      else stopPolling = clock.after(OWNER_POLL_MS, poll);
    };
    stopPolling = clock.after(OWNER_POLL_MS, poll);
    stops.push(() => {
      stopPolling();
    });
  }).finally(() => {
    for (const stop of stops) stop();
  });
}

function ownerVerdict(
  { processes }: WaitTools,
  { id }: RunReader,
  watch: BarrierWatch,
): Ended | null {
  if (!watch.isOrphaned((owner) => processes.isAlive(owner))) return null;
  const reason = `the process of ${id} is gone; parallel-cli resume continues it`;
  return { outcome: 'gone', reason };
}

function openText(watch: BarrierWatch): string {
  return `not landed yet: ${listText(watch.open().map(({ task, state }) => `${task} (${state})`))}`;
}

function requirePhase({ phases }: Plan, barrier: string): void {
  if (phases.includes(barrier)) return;
  throw new UserError(
    'usage',
    `The plan has no barrier ${JSON.stringify(barrier)}.`,
    phases.length === 0
      ? 'It has no phases: list them under "phases" and give tasks a "phase".'
      : `Its barriers are: ${phases.join(', ')}.`,
  );
}

import type { Clock } from '../ports/clock';
import type { ProcessRunner, RunningProcess } from '../ports/process-runner';
import { pausableTimer } from './pausable-timer';
import type { StopOrder } from './stop-order';

interface Tools {
  readonly runner: Pick<ProcessRunner, 'start'>;
  readonly clock: Clock;
}

/**
 * Does `work` with a runner whose processes stand still while the attempt is suspended, and a clock that
 * stands still with them: what a person halts does not run into its time limit.
 */
export async function suspendable<T>(
  { runner, clock }: Tools,
  order: StopOrder,
  work: (tools: Tools) => Promise<T>,
): Promise<T> {
  const pauses = new Pauses(clock, order);
  const start: ProcessRunner['start'] = async (spec) => freezing(await runner.start(spec), order);
  try {
    return await work({ runner: { start }, clock: pauses });
  } finally {
    pauses.end();
  }
}

/** What is to end goes on until it has. */
function standsStill({ suspended, how }: StopOrder): boolean {
  return suspended && how === null;
}

/** Passes each suspension on to a process, one that was ordered before its start too. */
export function freezing(process: RunningProcess, order: StopOrder): RunningProcess {
  let frozen = false;
  const unlisten = order.listen(() => {
    if (standsStill(order) === frozen) return;
    frozen = !frozen;
    process.signal(frozen ? 'SIGSTOP' : 'SIGCONT');
  });
  void process.exited.finally(unlisten).catch(() => undefined);
  return process;
}

/** A clock that stands still while the attempt does. */
class Pauses implements Clock {
  private lostMs = 0;
  private since: number | null = null;
  private readonly timers = new Set<ReturnType<typeof pausableTimer>>();
  private readonly unlisten: () => void;

  constructor(
    private readonly clock: Clock,
    private readonly order: StopOrder,
  ) {
    this.unlisten = order.listen(() => {
      this.follow();
    });
  }

  now(): number {
    const standing = this.since === null ? 0 : this.clock.now() - this.since;
    return this.clock.now() - this.lostMs - standing;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = pausableTimer(this.clock, delayMs, () => {
      this.timers.delete(timer);
      callback();
    });
    this.timers.add(timer);
    if (this.since !== null) timer.pause();
    return () => {
      this.timers.delete(timer);
      timer.cancel();
    };
  }

  end(): void {
    this.unlisten();
    for (const timer of this.timers) timer.cancel();
  }

  private follow(): void {
    const suspended = standsStill(this.order);
    if (suspended === (this.since !== null)) return;
    if (this.since === null) this.since = this.clock.now();
    else {
      this.lostMs += this.clock.now() - this.since;
      this.since = null;
    }
    for (const timer of this.timers) {
      if (suspended) timer.pause();
      else timer.resume();
    }
  }
}

import type { RunEvent } from '../model/event';
import type { Clock } from '../ports/clock';

type Verdict = 'opened' | { readonly broken: string };

/** The barriers of the execution that goes on in this process, by its events. */
export class LiveBarriers {
  private readonly verdicts = new Map<string, Verdict>();
  private readonly waiters = new Set<() => void>();
  /** `null` before the first execution: anything may still be waited for. */
  private phases: readonly string[] | null = null;
  private ended = false;

  constructor(private readonly clock: Pick<Clock, 'after'>) {}

  /** An execution of a plan with these phases begins; what is known of an earlier one is forgotten. */
  begin(phases: readonly string[]): void {
    this.verdicts.clear();
    this.phases = phases;
    this.ended = false;
    this.wake();
  }

  take(event: RunEvent): void {
    if (event.type === 'barrier:opened') this.verdicts.set(event.barrier, 'opened');
    else if (event.type === 'barrier:broken')
      this.verdicts.set(event.barrier, { broken: event.reason });
    else if (event.type === 'task:reopened' || event.type === 'run:resized') this.forgetBroken();
    else return;
    this.wake();
  }

  /** The execution is over: what has not opened by now does not. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Resolves when the barrier opens; rejects at once when it never can, or after `timeoutMs`. */
  wait(phase: string, { timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      let cancel = (): void => undefined;
      const settle = (problem: string | null): void => {
        this.waiters.delete(look);
        cancel();
        if (problem === null) resolve();
        else reject(new Error(problem));
      };
      const look = (): void => {
        const problem = this.problemOf(phase);
        if (problem !== undefined) settle(problem);
      };
      this.waiters.add(look);
      if (timeoutMs !== undefined) {
        cancel = this.clock.after(timeoutMs, () => {
          settle(`The barrier ${phase} did not open within ${timeoutMs} ms.`);
        });
      }
      look();
    });
  }

  /** `null`: it is open; text: it will not open; `undefined`: not known yet. */
  private problemOf(phase: string): string | null | undefined {
    const verdict = this.verdicts.get(phase);
    if (verdict === 'opened') return null;
    if (verdict !== undefined) return `The barrier ${phase} can never open: ${verdict.broken}.`;
    if (this.phases?.includes(phase) === false) {
      const known = this.phases.length === 0 ? 'none' : this.phases.join(', ');
      return `There is no barrier ${phase}; the phases are: ${known}.`;
    }
    return this.ended ? `The run ended before ${phase} was complete.` : undefined;
  }

  private forgetBroken(): void {
    for (const [barrier, verdict] of this.verdicts)
      if (verdict !== 'opened') this.verdicts.delete(barrier);
  }

  private wake(): void {
    for (const look of [...this.waiters]) look();
  }
}

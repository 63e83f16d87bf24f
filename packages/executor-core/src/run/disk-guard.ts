import { join } from 'node:path';
import type { DiskTrouble } from '../model/disk-trouble';
import { diskTroubleOf } from '../model/disk-trouble';
import type { EventOf, Fact } from '../model/event';
import type { Clock } from '../ports/clock';
import type { Disk } from '../ports/disk';
import type { QuickFiles } from '../ports/quick-files';
import { clearDiskNote, writeDiskNote } from '../store/disk-note';

export interface DiskGuardDeps {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly quick: QuickFiles;
  /** The run's folder; it exists. */
  readonly dir: string;
  /** Told at once, before anything can be journalled. */
  readonly tell: (event: Fact) => void;
  /** Free bytes without which it is not tried again. Default: `NEEDED_BYTES`. */
  readonly neededBytes?: number;
}

/** Room for the journal, a lease and the git objects of a few candidates. */
export const NEEDED_BYTES = 16 * 1024 * 1024;
/** What is written to see whether the disk takes something again. */
const PROBE_BYTES = 64 * 1024;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/**
 * Keeps a run from failing because its disk is full, read-only or broken: what the disk refused is
 * done again when it takes files again, and meanwhile nothing new is begun. Agents at work go on; what
 * they report waits in memory.
 */
export class DiskGuard {
  private held: Promise<void> | null = null;
  private waitMs = FIRST_WAIT_MS;
  private recoveredAt = 0;
  private unjournalled: Fact[] = [];
  private endWait: () => void = () => undefined;
  private gaveUp = false;

  constructor(private readonly deps: DiskGuardDeps) {}

  /** Does `work`, again and again while the disk refuses; any other error is thrown as it is. */
  async insist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const trouble = diskTroubleOf(error);
        if (trouble === null || this.gaveUp) throw error;
        await this.hold(trouble);
        if (this.hasGivenUp()) throw error;
      }
    }
  }

  /** The disk is known to refuse. */
  get isHeld(): boolean {
    return this.held !== null;
  }

  /** Resolves when the disk is not known to refuse. */
  async clear(): Promise<void> {
    while (this.held !== null && !this.gaveUp) await this.held;
  }

  /** What happened to the disk and is not in the journal yet. */
  takeEvents(): readonly Fact[] {
    return this.unjournalled.splice(0);
  }

  /** Waits no longer: what the disk refused fails. */
  giveUp(): void {
    this.gaveUp = true;
    this.endWait();
  }

  private hasGivenUp(): boolean {
    return this.gaveUp;
  }

  private hold(trouble: DiskTrouble): Promise<void> {
    // Held before anybody is told: whoever is told may ask for the end of it.
    this.held ??= Promise.resolve()
      .then(() => this.untilTaken(trouble))
      .finally(() => {
        this.held = null;
      });
    return this.held;
  }

  private async untilTaken(trouble: DiskTrouble): Promise<void> {
    const { clock, quick, dir, tell } = this.deps;
    // Refused again soon after it was tried: it is not mended, so the next try comes later.
    if (clock.now() - this.recoveredAt > 2 * LONGEST_WAIT_MS) this.waitMs = FIRST_WAIT_MS;
    const refused = this.refusal(trouble);
    writeDiskNote(quick, dir, refused);
    tell(refused);
    do {
      await this.pause(this.waitMs);
      this.waitMs = Math.min(2 * this.waitMs, LONGEST_WAIT_MS);
    } while (!this.gaveUp && !this.takesFiles());
    if (this.gaveUp) return;
    clearDiskNote(quick, dir);
    this.recoveredAt = clock.now();
    const recovered: Fact = { type: 'disk:recovered', at: clock.now() };
    this.unjournalled.push(refused, recovered);
    tell(recovered);
  }

  private refusal(trouble: DiskTrouble): EventOf<'disk:refused'> {
    const { clock, disk, dir } = this.deps;
    const reason = reasonOf(trouble, dir, disk.freeSpace(dir), this.neededBytes);
    return { type: 'disk:refused', trouble, reason, at: clock.now() };
  }

  private get neededBytes(): number {
    return this.deps.neededBytes ?? NEEDED_BYTES;
  }

  private takesFiles(): boolean {
    const { disk, quick, dir } = this.deps;
    const free = disk.freeSpace(dir);
    if (free !== null && free < this.neededBytes) return false;
    const probe = join(dir, 'disk-probe');
    try {
      quick.remove(probe);
      quick.create(probe, ' '.repeat(PROBE_BYTES));
      return quick.remove(probe);
    } catch {
      return false;
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.deps.clock.after(ms, resolve);
      this.endWait = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Which disk, what is wrong with it, what it needs. */
function reasonOf(trouble: DiskTrouble, dir: string, free: number | null, needed: number): string {
  const what = {
    full: `the disk of ${dir} is full${free === null ? '' : ` (${megabytes(free)} free)`}; ${megabytes(needed)} are needed`,
    quota: `your quota on the disk of ${dir} is used up; ${megabytes(needed)} are needed`,
    broken: `the disk of ${dir} reports an input/output error`,
    'read-only': `the disk of ${dir} is mounted read-only`,
  }[trouble];
  return `${what}. Agents at work go on, nothing new is started; the run goes on by itself when the disk takes files again`;
}

function megabytes(bytes: number): string {
  const mb = bytes / (1024 * 1024);
  return `${mb >= 10 ? Math.floor(mb) : Math.floor(mb * 10) / 10} MB`;
}

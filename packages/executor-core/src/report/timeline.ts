import type { RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';

/** What a stretch of time was spent on. */
export type SegmentKind = 'leasing' | 'running' | 'verifying' | 'merging';

/**
 * A stretch of one task's life. `slot` is the lane it is drawn in; `null` is the merge queue's lane,
 * because a task that merges has given its slot back. What is verified out of a slot is in no lane. Segments of one slot never overlap.
 */
export interface Segment {
  readonly slot: number | null;
  readonly task: TaskId;
  readonly attempt: number;
  readonly kind: SegmentKind;
  /** Epoch ms; `from <= to`. */
  readonly from: number;
  readonly to: number;
}

interface Open {
  readonly kind: SegmentKind;
  readonly slot: number | null;
  readonly attempt: number;
  readonly from: number;
}

/** The segments of a run in order of their end; those still open end at `now`. */
export function timeline(events: Iterable<RunEvent>, now: number): readonly Segment[] {
  const builder = new TimelineBuilder();
  for (const event of events) builder.apply(event);
  return builder.finish(now);
}

class TimelineBuilder {
  readonly #segments: Segment[] = [];
  readonly #open = new Map<TaskId, Open>();
  readonly #slotFreeAt = new Map<number, number>();
  readonly #attempts = new Map<TaskId, number>();
  #lastAt = 0;

  apply(event: RunEvent): void {
    if (event.type === 'run:resumed') this.#closeAll(this.#lastAt);
    this.#lastAt = Math.max(this.#lastAt, event.at);
    if ('task' in event) this.#applyToTask(event);
  }

  finish(now: number): readonly Segment[] {
    this.#closeAll(now);
    return this.#segments;
  }

  #applyToTask(event: Extract<RunEvent, { readonly task: TaskId }>): void {
    const { task, at } = event;
    if (event.type === 'task:leasing') {
      this.#begin(task, { kind: 'leasing', slot: null, from: at });
    } else if (event.type === 'task:leased') {
      this.#takeSlot(task, event.slot);
    } else if (event.type === 'task:started') {
      this.#takeSlot(task, event.slot);
      this.#attempts.set(task, event.attempt);
      this.#begin(task, { kind: 'running', slot: event.slot, from: at });
    } else if (event.type === 'task:verifying') {
      const slot = event.leavesSlot === true ? null : (this.#open.get(task)?.slot ?? null);
      this.#begin(task, { kind: 'verifying', slot, from: at });
    } else if (event.type === 'task:merging') {
      this.#begin(task, { kind: 'merging', slot: null, from: at });
    } else if (!KEEPS_GOING.has(event.type)) {
      this.#close(task, at);
    }
  }

  #begin(task: TaskId, next: Omit<Open, 'attempt'>): void {
    this.#close(task, next.from);
    const started = this.#attempts.get(task) ?? 0;
    this.#open.set(task, { ...next, attempt: next.kind === 'leasing' ? started + 1 : started });
  }

  /** Leases are taken before the slot: the wait is drawn in the slot only since the slot was free. */
  #takeSlot(task: TaskId, slot: number): void {
    const open = this.#open.get(task);
    if (open?.kind !== 'leasing') return;
    const from = Math.max(open.from, this.#slotFreeAt.get(slot) ?? 0);
    this.#open.set(task, { ...open, slot, from });
  }

  #close(task: TaskId, at: number): void {
    const open = this.#open.get(task);
    this.#open.delete(task);
    if (open === undefined || (open.slot === null && open.kind !== 'merging')) return;
    const to = Math.max(open.from, at);
    this.#segments.push({ ...open, task, to });
    if (open.slot !== null) this.#slotFreeAt.set(open.slot, to);
  }

  #closeAll(at: number): void {
    for (const task of [...this.#open.keys()]) this.#close(task, at);
  }
}

const KEEPS_GOING: ReadonlySet<RunEvent['type']> = new Set<RunEvent['type']>([
  'task:progress',
  'process:started',
  'task:waiting',
]);

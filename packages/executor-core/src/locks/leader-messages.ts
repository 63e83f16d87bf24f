import type { ZodType } from 'zod';
import { parseWait, type LeaseRecord, type WaitRecord } from './lease-record';
import type * as LockSchemas from './lock-schemas';

/** Greater when processes of an older version would misunderstand the messages. */
export const PROTOCOL = 1;

/** What a process says to the leader. `request` names a request of its own, see `Claim.request`. */
export type ToLeader =
  /**
   * `wait.ticket` is 0, or the place in the queue an earlier leader gave. May be said again. `hurry`:
   * an answer is expected at once, otherwise `waiting` is said after a while.
   */
  | { readonly op: 'acquire'; readonly wait: WaitRecord; readonly hurry: boolean }
  | { readonly op: 'withdraw'; readonly request: string }
  /** The lease's file has been removed by its owner. */
  | { readonly op: 'released'; readonly token: number }
  /** The lease's file says so already. */
  | { readonly op: 'slotFree'; readonly token: number }
  | {
      readonly op: 'widen';
      readonly request: string;
      readonly token: number;
      readonly writes: readonly string[];
    };

/** What the leader answers. */
export type FromLeader =
  | { readonly op: 'granted'; readonly request: string; readonly lease: LeaseRecord }
  | {
      readonly op: 'waiting';
      readonly request: string;
      readonly ticket: number;
      readonly holders: readonly string[];
    }
  | { readonly op: 'withdrawn'; readonly request: string }
  /** `holders` is empty when it was granted, `null` when the lease is not in the table. */
  | {
      readonly op: 'widened';
      readonly request: string;
      readonly holders: readonly string[] | null;
    }
  /** The files could not be written. */
  | { readonly op: 'failed'; readonly request: string; readonly message: string };

/** Loaded with the first message of another process. */
function others(): ZodType<Exclude<ToLeader, { readonly op: 'acquire' }>> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as said above
  return (require('./lock-schemas') as typeof LockSchemas).message;
}

/** `null` for what no process of this version says. */
export function parseToLeader(text: string): ToLeader | null {
  const value = parseObject(text);
  if (value?.['op'] !== 'acquire') return others().safeParse(value).data ?? null;
  const wait = parseWait(value['wait']);
  return wait === null ? null : { op: 'acquire', wait, hurry: value['hurry'] === true };
}

/** The leader is believed: it wrote what it says to disk before. `null` for what is no message. */
export function parseFromLeader(text: string): FromLeader | null {
  const value = parseObject(text);
  return typeof value?.['request'] === 'string' ? (value as unknown as FromLeader) : null;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

import type { ZodType } from 'zod';
import type { ProcessIdentity } from '../model/process';
import { isIdentity, parseAsk, parseObject, type Ask } from './ask';
import type { LeaseRecord } from './lease-record';
import type * as LockSchemas from './lock-schemas';

/** Greater when processes of an older version would misunderstand the messages. */
export const PROTOCOL = 2;

/** What is said first on a line: in whose name everything else is. */
export interface Hello {
  readonly op: 'hello';
  readonly owner: ProcessIdentity;
  /** Of its leases; see `WaitRecord`. */
  readonly ttlMs: number;
}

/** What a process says to the leader. `request` names a request of its own, see `Claim.request`. */
export type ToLeader =
  /**
   * `ask.ticket` is 0, or the place in the queue an earlier leader gave. May be said again. `hurry`:
   * an answer is expected at once, otherwise `waiting` is said after a while.
   */
  | { readonly op: 'acquire'; readonly ask: Ask; readonly hurry: boolean }
  | { readonly op: 'withdraw'; readonly request: string }
  /** The lease's file is to be removed, if it is still there; answered by `gone`. */
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
export type FromLeader = Answer & {
  /** Tokens of leases whose owner has given them back and whose files have gone. */
  readonly gone?: readonly number[];
};

/** What an owner has to be told of its lease; the rest it knows. */
export type Granted = Pick<LeaseRecord, 'token' | 'task' | 'slot' | 'grantedAt'>;

type Answer =
  | ({ readonly op: 'granted'; readonly request: string } & Granted)
  | { readonly op: 'gone' }
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

/** Loaded with the first message that is not about taking and giving back. */
function others(): ZodType<Exclude<ToLeader, { readonly op: 'acquire' | 'released' }>> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as said above
  return (require('./lock-schemas') as typeof LockSchemas).message;
}

/** `null` for what no process of this version says. */
export function parseToLeader(text: string): ToLeader | null {
  const value = parseObject(text);
  if (value?.['op'] === 'released') {
    const { token } = value;
    return typeof token === 'number' ? { op: 'released', token } : null;
  }
  if (value?.['op'] !== 'acquire') return others().safeParse(value).data ?? null;
  const ask = parseAsk(value['ask']);
  return ask === null ? null : { op: 'acquire', ask, hurry: value['hurry'] === true };
}

/** `null` when it is not what a line of this version begins with. */
export function parseHello(text: string): Hello | null {
  const value = parseObject(text);
  if (value?.['op'] !== 'hello') return null;
  const { owner, ttlMs } = value;
  const isOne = isIdentity(owner) && typeof ttlMs === 'number' && ttlMs > 0;
  return isOne ? { op: 'hello', owner, ttlMs } : null;
}

/** The leader is believed: it wrote what it says to disk before. `null` for what is no message. */
export function parseFromLeader(text: string): FromLeader | null {
  const value = parseObject(text);
  const isMessage = typeof value?.['request'] === 'string' || value?.['op'] === 'gone';
  return isMessage ? (value as unknown as FromLeader) : null;
}

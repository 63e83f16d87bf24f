import type { ZodType } from 'zod';
import type { RunId, TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Demand } from './compatibility';
import type * as LockSchemas from './lock-schemas';

/** What leases and waits have in common. */
interface Claim extends Demand {
  /** Name of the request it answers: a request that is made again finds what it was given before. */
  readonly request: string;
  readonly run: RunId;
  readonly task: TaskId;
  /** 0..100, see `Task.priority`. */
  readonly priority: number;
  /** The process that holds or waits. */
  readonly owner: ProcessIdentity;
  /** After this long without a heartbeat (file modification) a live owner counts as silent. */
  readonly ttlMs: number;
}

/** A granted lease: the content of `lease-<token>-<task>.json`. Instants are epoch ms. */
export interface LeaseRecord extends Claim {
  /** Fencing token: greater than that of every lease granted before, across processes and restarts. */
  readonly token: number;
  /** The slot it occupies, 1-based; `null` when only the accesses are kept, or none was wanted. */
  readonly slot: number | null;
  readonly grantedAt: number;
}

/** A request in the queue: the content of `wait-<ticket>-<task>.json`. Never rewritten. */
export interface WaitRecord extends Claim {
  /** Place in the queue; from the same counter as the tokens. */
  readonly ticket: number;
  /** Slots it would take, in order of preference, 1-based; empty: it needs none. */
  readonly slots: readonly number[];
  readonly requestedAt: number;
}

export type TableRecord = LeaseRecord | WaitRecord;

/**
 * More write room for a lease that is held: the content of `wide-<number>-<task>.json`. A file of its
 * own, because a lease that were written anew while its holder gives it back would come back. It
 * counts as long as its lease does.
 */
export interface WideRecord {
  readonly wide: number;
  /** Token of the lease. */
  readonly token: number;
  readonly task: TaskId;
  readonly writes: readonly string[];
  readonly grantedAt: number;
}

type AnyRecord = TableRecord | WideRecord;

/** What names the file of a lease. */
export type LeaseName = Pick<LeaseRecord, 'token' | 'task'>;
/** What names the file of a lease or a wait. */
export type TableRecordName = LeaseName | Pick<WaitRecord, 'ticket' | 'task'>;
type AnyName = TableRecordName | Pick<WideRecord, 'wide' | 'task'>;
type RecordKind = 'lease' | 'wait' | 'wide';

/** What a file name of the lock table says. */
export interface RecordName {
  readonly kind: RecordKind;
  readonly number: number;
  /** A wide record has the task of its lease. */
  readonly task: string;
}

const NAME = /^(lease|wait|wide)-(\d{10,15})-(.+)\.json$/;

interface RecordSchemas extends Readonly<Record<RecordKind, ZodType<AnyRecord>>> {
  readonly lease: ZodType<LeaseRecord>;
  readonly wait: ZodType<WaitRecord>;
  readonly wide: ZodType<WideRecord>;
}

/** Loaded when the first record of another process is read: most commands read none. */
function schemas(): RecordSchemas {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as said above
  return (require('./lock-schemas') as typeof LockSchemas).records;
}

export function isLease(record: TableRecord): record is LeaseRecord {
  return 'token' in record;
}

/** The lease a wait becomes. */
export function leaseFrom(
  wait: WaitRecord,
  granted: Pick<LeaseRecord, 'token' | 'slot' | 'grantedAt'>,
): LeaseRecord {
  const { request, run, task, priority, owner, access, resources, policy, ttlMs } = wait;
  const { token, slot, grantedAt } = granted;
  return {
    token,
    request,
    run,
    task,
    priority,
    owner,
    slot,
    access,
    resources,
    policy,
    grantedAt,
    ttlMs,
  };
}

/** File name of a record; the number has 10 digits, so that a listing is in order of age. */
export function recordName(record: AnyName): string {
  const { kind, number } = kindOf(record);
  return `${kind}-${String(number).padStart(10, '0')}-${record.task}.json`;
}

function kindOf(record: AnyName): Pick<RecordName, 'kind' | 'number'> {
  if ('wide' in record) return { kind: 'wide', number: record.wide };
  if ('ticket' in record) return { kind: 'wait', number: record.ticket };
  return { kind: 'lease', number: record.token };
}

/** What a file name stands for, or `null` when it is none of ours. */
export function parseRecordName(name: string): RecordName | null {
  const [, kind, digits, task] = NAME.exec(name) ?? [];
  if (kind === undefined || digits === undefined || task === undefined) return null;
  return { kind: kind as RecordKind, number: Number(digits), task };
}

/** JSON a person can read. */
export function encodeRecord(record: AnyRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** The record in a file with this name; `null` for anything that is not exactly that. Never throws. */
export function parseRecord(name: string, text: string): AnyRecord | null {
  const kind = parseRecordName(name)?.kind;
  if (kind === undefined) return null;
  const result = schemas()[kind].safeParse(parseJson(text));
  return result.success && recordName(result.data) === name ? result.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

import { z } from 'zod';
import { isRunId, taskIdProblem, type RunId, type TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Demand } from './compatibility';

/** What leases and waits have in common. */
interface Claim extends Demand {
  readonly run: RunId;
  readonly task: TaskId;
  /** The process that holds or waits. */
  readonly owner: ProcessIdentity;
}

/** A granted lease: the content of `lease-<token>-<task>.json`. Instants are epoch ms. */
export interface LeaseRecord extends Claim {
  /** Fencing token: greater than that of every lease granted before, across processes and restarts. */
  readonly token: number;
  /** The slot it occupies, 1-based; `null` when only the accesses are kept, or none was wanted. */
  readonly slot: number | null;
  readonly grantedAt: number;
  /** After this long without a heartbeat (file modification) a live owner counts as silent. */
  readonly ttlMs: number;
}

/** A request in the queue: the content of `wait-<ticket>-<task>.json`. Never rewritten. */
export interface WaitRecord extends Claim {
  /** Place in the queue; from the same counter as the tokens. */
  readonly ticket: number;
  /** 0..100, see `Task.priority`. */
  readonly priority: number;
  /** Slots it would take, in order of preference, 1-based; empty: it needs none. */
  readonly slots: readonly number[];
  readonly requestedAt: number;
}

export type TableRecord = LeaseRecord | WaitRecord;

/** What a file name of the lock table says. */
export interface RecordName {
  readonly kind: 'lease' | 'wait';
  readonly number: number;
}

const NAME = /^(lease|wait)-(\d{10,15})-.+\.json$/;

const count = z.number().int().nonnegative();
const claim = {
  run: z.custom<RunId>((value) => typeof value === 'string' && isRunId(value)),
  task: z.custom<TaskId>((value) => typeof value === 'string' && taskIdProblem(value) === null),
  owner: z.object({
    pid: count,
    startTime: z.string(),
    bootId: z.string(),
    host: z.string(),
  }),
  access: z.object({ reads: z.array(z.string()), writes: z.array(z.string()) }),
  resources: z.array(z.object({ id: z.string(), exclusive: z.boolean() })),
  policy: z.enum(['wait', 'auto_merge', 'manual', 'priority']),
};
const lease: z.ZodType<LeaseRecord> = z.object({
  token: count,
  ...claim,
  slot: count.nullable(),
  grantedAt: z.number(),
  ttlMs: z.number().positive(),
});
const wait: z.ZodType<WaitRecord> = z.object({
  ticket: count,
  ...claim,
  priority: z.number(),
  slots: z.array(count),
  requestedAt: z.number(),
});

export function isLease(record: TableRecord): record is LeaseRecord {
  return 'token' in record;
}

/** File name of a record; the number has 10 digits, so that a listing is in order of age. */
export function recordName(record: TableRecord): string {
  const number = isLease(record) ? record.token : record.ticket;
  return `${isLease(record) ? 'lease' : 'wait'}-${String(number).padStart(10, '0')}-${record.task}.json`;
}

/** What a file name stands for, or `null` when it is none of ours. */
export function parseRecordName(name: string): RecordName | null {
  const [, kind, digits] = NAME.exec(name) ?? [];
  if (kind === undefined || digits === undefined) return null;
  return { kind: kind === 'lease' ? 'lease' : 'wait', number: Number(digits) };
}

/** JSON a person can read. */
export function encodeRecord(record: TableRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** The record in a file with this name; `null` for anything that is not exactly that. Never throws. */
export function parseRecord(name: string, text: string): TableRecord | null {
  const kind = parseRecordName(name)?.kind;
  if (kind === undefined) return null;
  const result = (kind === 'lease' ? lease : wait).safeParse(parseJson(text));
  return result.success && recordName(result.data) === name ? result.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

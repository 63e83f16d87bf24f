import * as z from 'zod';
import { isRunId, taskIdProblem, type RunId, type TaskId } from '../model/ids';

/**
 * What other processes leave in the lock table and say to its leader is checked in full. Loaded on
 * demand: to make the schemas takes longer than most commands have to do with locks.
 */

const count = z.number().int().nonnegative();
const task = z.custom<TaskId>(
  (value) => typeof value === 'string' && taskIdProblem(value) === null,
);
const globs = z.array(z.string());
const claim = {
  request: z.string().regex(/^[\w-]{1,64}$/),
  run: z.custom<RunId>((value) => typeof value === 'string' && isRunId(value)),
  task,
  priority: z.number(),
  owner: z.object({
    pid: count,
    startTime: z.string(),
    bootId: z.string(),
    host: z.string(),
  }),
  access: z.object({ reads: globs, writes: globs }),
  resources: z.array(
    z.object({
      id: z.string(),
      exclusive: z.boolean(),
      amount: z.number().optional(),
      capacity: z.number().nullable().optional(),
    }),
  ),
  policy: z.enum(['wait', 'auto_merge', 'manual', 'priority', 'theirs-if-newer']),
  ttlMs: z.number().positive(),
};
const lease = z.object({
  token: count,
  ...claim,
  slot: count.nullable(),
  grantedAt: z.number(),
});
const wait = z.object({
  ticket: count,
  ...claim,
  slots: z.array(count),
  requestedAt: z.number(),
});

const wide = z.object({
  wide: count,
  token: count,
  task,
  writes: globs,
  grantedAt: z.number(),
});

/** By kind, see `LeaseRecord`, `WaitRecord` and `WideRecord`. */
export const records = { lease, wait, wide };

const request = z.string();
const token = z.number();
/** See `ToLeader`; what asks for a lease carries a record. */
export const message = z.discriminatedUnion('op', [
  z.object({ op: z.literal('withdraw'), request }),
  z.object({ op: z.literal('slotFree'), token }),
  z.object({ op: z.literal('widen'), request, token, writes: z.array(z.string()) }),
]);

import { isRunId, taskIdProblem } from '../model/ids';
import type { Resource } from '../model/access';
import type { ProcessIdentity } from '../model/process';
import type { ConflictPolicy } from '../model/task';
import type { WaitRecord } from './lease-record';

/** A request as its owner says it to the leader: a wait, whose owner is the one who says it. */
export type Ask = Omit<WaitRecord, 'owner' | 'ttlMs'>;

const REQUEST = /^[\w-]{1,64}$/;
const POLICIES: ReadonlySet<unknown> = new Set<ConflictPolicy>([
  'wait',
  'auto_merge',
  'manual',
  'priority',
  'theirs-if-newer',
]);

/** `true` when it names a process. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    isObject(value) &&
    isCount(value['pid']) &&
    isText(value['startTime']) &&
    isText(value['bootId']) &&
    isText(value['host'])
  );
}

/** The object `text` stands for; `null` for anything else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * `null` for what is no request. By hand and not by a schema, because it is the one thing a leader reads
 * thousands of times a second.
 */
export function parseAsk(value: unknown): Ask | null {
  if (!isObject(value)) return null;
  const { request, run, task, access, resources, policy } = value;
  const isAsk =
    matches(request, REQUEST) &&
    typeof run === 'string' &&
    isRunId(run) &&
    typeof task === 'string' &&
    taskIdProblem(task) === null &&
    isCount(value['ticket']) &&
    typeof value['priority'] === 'number' &&
    typeof value['requestedAt'] === 'number' &&
    isListOf(value['slots'], isCount) &&
    isObject(access) &&
    isListOf(access['reads'], isText) &&
    isListOf(access['writes'], isText) &&
    isListOf(resources, isResource) &&
    POLICIES.has(policy);
  return isAsk ? (value as unknown as Ask) : null;
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isResource(value: unknown): value is Resource {
  if (!isObject(value) || !isText(value['id']) || typeof value['exclusive'] !== 'boolean') {
    return false;
  }
  const { amount, capacity } = value;
  const isCapacity = capacity === undefined || capacity === null || typeof capacity === 'number';
  return (amount === undefined || typeof amount === 'number') && isCapacity;
}

import type { RunEvent } from './event';
import type { Redactor } from './redactor';

/**
 * Fields that name things: ids, commits, refs, folders, globs. The run is folded from them, so they stay
 * as they are; they hold names that were checked, and nothing an agent printed.
 */
const NAMES: ReadonlySet<string> = new Set([
  ...[
    'type',
    'run',
    'task',
    'commit',
    'tree',
    'base',
    'ref',
    'branch',
    'worktree',
    'target',
    'onto',
  ],
  ...[
    'planFile',
    'planDigest',
    'salvage',
    'profile',
    'healer',
    'owner',
    'process',
    'barrier',
    'kind',
  ],
  ...['writes', 'allowed', 'waiter', 'frontDoor', 'outcome', 'mode', 'request', 'signal'],
]);

/** An event without the secrets in its free text and in the names of the files agents made. */
export function redactEvent<E extends RunEvent>(event: E, redactor: Redactor): E {
  return redacted(event, redactor) as E;
}

function redacted(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.text(value);
  if (Array.isArray(value)) return value.map((item) => redacted(item, redactor));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, field]: [string, unknown]) =>
      [key, NAMES.has(key) ? field : redacted(field, redactor)] as const,
  );
  return Object.fromEntries(entries);
}

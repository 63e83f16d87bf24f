import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Failure, FailureClass } from './failure';
import { classifyFailure, CURES, describeFailure, failureClass, failureLog } from './failure';

const NETWORK = 'Error: read ECONNRESET';
const CASES: readonly (readonly [Failure, FailureClass])[] = [
  [{ kind: 'agent-exit', code: 3, tail: 'boom' }, 'agent-failed'],
  [{ kind: 'agent-exit', code: 1, tail: NETWORK }, 'transient'],
  [{ kind: 'agent-error', message: 'thrown' }, 'agent-failed'],
  [{ kind: 'agent-error', message: NETWORK }, 'transient'],
  [{ kind: 'agent-signal', signal: 'SIGSEGV', tail: NETWORK }, 'crash'],
  [{ kind: 'try-later', tail: '' }, 'try-later'],
  [{ kind: 'timeout', afterMs: 1000, tail: '' }, 'timeout'],
  [{ kind: 'setup-failed', step: 'npm ci', tail: 'no lockfile' }, 'set-up'],
  [{ kind: 'setup-failed', step: 'npm ci', tail: NETWORK }, 'transient'],
  // What a check says is about the work, whatever words it uses.
  [
    { kind: 'verify-failed', where: 'merged', command: 'x', code: 1, tail: NETWORK },
    'verify-failed',
  ],
  [{ kind: 'lock-violation', paths: ['a'], allowed: ['b'] }, 'lock-violation'],
  [{ kind: 'conflict', paths: ['a'], onto: 'c' }, 'conflict'],
  [{ kind: 'no-evidence', tail: '' }, 'no-evidence'],
  [{ kind: 'lost-lease', token: 1 }, 'lost-lease'],
  [{ kind: 'interrupted', message: 'stopped' }, 'interrupted'],
  [{ kind: 'lease-timeout', waitedMs: 1, holders: [] }, 'lease-timeout'],
  [{ kind: 'deadline', scope: 'task', afterMs: 1 }, 'deadline'],
  [{ kind: 'cancelled', by: 'you' }, 'cancelled'],
];

describe('the class of a failure', () => {
  it.each(CASES)('of %j is %s', (failure, expected) => {
    expect(failureClass(failure)).toBe(expected);
    expect(describeFailure(failure)).not.toBe('');
  });

  it('is one of the table, and every class of the table is some failure’s', () => {
    expect(new Set(CASES.map(([failure]) => failureClass(failure)))).toEqual(
      new Set(Object.keys(CURES)),
    );
  });
});

describe('the cures', () => {
  it('never retry what a person or the clock has ended', () => {
    const rules = CASES.filter(([, name]) =>
      ['cancelled', 'deadline', 'lease-timeout'].includes(name),
    );
    expect(new Set(rules.map(([failure]) => classifyFailure(failure)))).toEqual(new Set(['final']));
  });

  it('cost no retry where the agent is not to blame', () => {
    const free = Object.entries(CURES).filter(([, { retry }]) => retry === 'free-retry');
    expect(free.map(([name]) => name).sort()).toEqual(['interrupted', 'lost-lease', 'try-later']);
  });

  it('heal only where something in the worktree can be mended', () => {
    const healed = Object.entries(CURES).filter(([, { heal }]) => heal);
    expect(healed.map(([name]) => name).sort()).toEqual([
      'agent-failed',
      'crash',
      'lock-violation',
      'no-evidence',
      'timeout',
      'verify-failed',
    ]);
    for (const [, { retry }] of healed) expect(retry).toBe('retryable');
  });

  it('are those the documentation shows', () => {
    const page = readFileSync(resolve(__dirname, '../../../../docs/agents.md'), 'utf8');
    for (const [name, { cure, heal }] of Object.entries(CURES)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` `));
      const cells = (row ?? '').split('|').map((cell) => cell.trim());
      expect([name, cells[3], cells[4]]).toEqual([name, cure, heal ? 'yes' : '']);
    }
  });
});

it('the log of a failure is what its program printed last', () => {
  expect(failureLog({ kind: 'agent-exit', code: 1, tail: 'last words' })).toBe('last words');
  expect(failureLog({ kind: 'cancelled', by: 'you' })).toBe('');
});

import type { TaskResult } from '@parallel-executor/core';
import { planOf, runStarted, second } from '@parallel-executor/core/testing';
import { runResult } from '@parallel-executor/core';
import { exitCodeOf } from './exit-codes';

/** A result with the given task statuses. */
function codeFor(
  statuses: readonly TaskResult['status'][],
  patch: { readonly status?: 'stopped'; readonly held?: string } = {},
): number {
  const plan = planOf(Object.fromEntries(statuses.map((_, index) => [`t${index}`, {}])));
  const result = runResult(plan, [runStarted(plan)], second(1));
  const results = Object.fromEntries(statuses.map((status, index) => [`t${index}`, { status }]));
  return exitCodeOf({
    ...result,
    parallel_execution: {
      ...result.parallel_execution,
      status: patch.status ?? 'completed',
      results,
    },
    target: { ...result.target, held: patch.held ?? null },
  });
}

describe('the exit code of a run', () => {
  it('is 0 when everything landed', () => {
    expect(codeFor(['completed', 'completed'])).toBe(0);
    expect(codeFor([])).toBe(0);
  });

  it('is 1 when a task failed or is blocked', () => {
    expect(codeFor(['completed', 'failed'])).toBe(1);
    expect(codeFor(['failed', 'blocked'])).toBe(1);
    expect(codeFor(['completed', 'blocked'])).toBe(1);
    expect(codeFor(['failed', 'conflicted'])).toBe(1);
  });

  it('is 3 when it waits for a person', () => {
    expect(codeFor(['completed', 'conflicted'])).toBe(3);
    expect(codeFor(['conflicted', 'blocked'])).toBe(3);
    expect(codeFor(['completed'], { held: 'main has uncommitted changes' })).toBe(3);
  });

  it('is 3 when it was stopped early', () => {
    expect(codeFor(['completed', 'pending'])).toBe(3);
    expect(codeFor(['cancelled', 'blocked'])).toBe(3);
    expect(codeFor(['completed', 'failed'], { status: 'stopped' })).toBe(3);
  });

  it('is 1 when a failure cancelled the rest', () => {
    expect(codeFor(['failed', 'cancelled'])).toBe(1);
  });
});

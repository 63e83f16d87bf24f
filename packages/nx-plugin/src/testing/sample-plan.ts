import type { Plan, Task } from '@parallel-executor/core';
import { parseTaskId } from '@parallel-executor/core';

/** A task with nothing but an id; `changes` overrides. */
export function sampleTask(id: string, changes: Partial<Task> = {}): Task {
  return {
    id: parseTaskId(id),
    index: 0,
    profile: 'codemod',
    prompt: `Do ${id}.`,
    project: null,
    priority: 50,
    phase: null,
    dependsOn: [],
    access: { reads: [], writes: ['**'] },
    writesDeclared: false,
    resources: [],
    team: null,
    taskType: null,
    verify: [],
    timeoutMs: 60_000,
    deadlineMs: null,
    noop: 'accept',
    env: {},
    homeSlot: 1,
    ...changes,
  };
}

/** A plan of `tasks`; only what the Nx targets depend on is filled with care. */
export function samplePlan(tasks: readonly Task[], phases: readonly string[] = []): Plan {
  return {
    version: 1,
    file: 'parallel.yaml',
    settings: {
      maxAgents: 25,
      worktreeBase: '.worktrees',
      lockTimeoutMs: 30_000,
      barrierTimeoutMs: 120_000,
      retry: { maxRetries: 3, backoff: 'none', baseMs: 1, maxMs: 1 },
      mergeStrategy: 'recursive',
      checkpoint: 'phase',
      failureStrategy: 'continue_on_failure',
      timeoutMs: 60_000,
      deadlineMs: null,
      healer: null,
      land: 'target',
      setup: { copy: [], link: [], run: [] },
      verify: [],
      budget: { usd: null, tokens: null },
      conflictPolicy: 'wait',
      limits: { team: {}, taskType: {} },
    },
    agents: [],
    phases,
    tasks,
  };
}

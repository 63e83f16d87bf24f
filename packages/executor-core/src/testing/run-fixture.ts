import type { Fact, Candidate, RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import { parseRunId, parseTaskId } from '../model/ids';
import type { Plan, Settings } from '../model/task';
import type { TaskDraft } from './plan';
import { planOf as planFromDraft } from './plan';

/** What a test says about a task; the rest has quiet defaults. */
export type TaskSketch = Omit<TaskDraft, 'id'>;

/**
 * A valid plan from task sketches by id, in order: at most 4 agents, every task under the profile
 * `codemod` and writing `<id>/**` unless its sketch says otherwise.
 */
export function planOf(
  sketches: Readonly<Record<string, TaskSketch>>,
  settings: Partial<Settings> = {},
  phases: readonly string[] = [],
): Plan {
  const tasks = Object.entries(sketches).map(([id, sketch]) => ({
    profile: 'codemod',
    writes: [`${id}/**`],
    ...sketch,
    id,
  }));
  const profiles = new Set(tasks.map((task) => task.profile).filter((name) => name !== null));
  const plan = planFromDraft({
    tasks,
    phases,
    settings: { maxAgents: 4, ...settings },
    agents: [...profiles].map((name) => ({ name })),
  });
  return { ...plan, file: 'parallel.yaml' };
}

/** Instant of second 0 of the fixture run: 2024-01-15T11:00:00Z. */
export const FIXTURE_START = Date.UTC(2024, 0, 15, 11, 0, 0);
export const FIXTURE_RUN = parseRunId('PEXEC-1705316400000');

/** Epoch ms of `seconds` after the fixture run's start. */
export function second(seconds: number): number {
  return FIXTURE_START + Math.round(seconds * 1000);
}

/** A candidate of one changed file. */
export function candidateOf(task: string, patch: Partial<Candidate> = {}): Candidate {
  return {
    commit: 'c'.repeat(40),
    tree: 'd'.repeat(40),
    base: 'b'.repeat(40),
    ref: `refs/parallel/${FIXTURE_RUN}/${task}/1`,
    fence: 1,
    noop: false,
    files: [`${task}/index.ts`],
    fileCount: 1,
    ...patch,
  };
}

const OWNER = { pid: 100, startTime: '1', bootId: 'boot', host: 'fixture' };

/** `run:started` of `plan` on `refs/heads/main`, at second 0. */
export function runStarted(plan: Plan): Fact {
  return {
    type: 'run:started',
    at: FIXTURE_START,
    run: FIXTURE_RUN,
    planFile: plan.file,
    planDigest: 'digest',
    base: 'b'.repeat(40),
    target: 'refs/heads/main',
    maxAgents: plan.settings.maxAgents,
    frontDoor: 'cli',
    tasks: plan.tasks.length,
    owner: OWNER,
  };
}

/** Leasing, lease and start of an attempt, all at one instant. */
export function started(id: string, slot: number, at: number, attempt = 1): readonly RunEvent[] {
  const task = parseTaskId(id);
  return [
    { type: 'task:leasing', at: second(at), task },
    { type: 'task:leased', at: second(at), task, slot, token: 1 },
    startedOnly(task, slot, at, attempt),
  ];
}

function startedOnly(task: TaskId, slot: number, at: number, attempt: number): RunEvent {
  return {
    type: 'task:started',
    at: second(at),
    task,
    attempt,
    slot,
    base: 'b'.repeat(40),
    branch: `agent-${slot}-${task}`,
    worktree: `.worktrees/agent-${slot}`,
    profile: 'codemod',
  };
}

/** From the end of the agent's work to the landed commit, all at one instant. */
export function landed(id: string, at: number, attempt = 1): readonly RunEvent[] {
  const task = parseTaskId(id);
  const instant = second(at);
  return [
    { type: 'task:verifying', at: instant, task, attempt },
    { type: 'task:queued', at: instant, task, attempt, candidate: candidateOf(id) },
    { type: 'task:merging', at: instant, task, onto: 'e'.repeat(40), batch: 1 },
    { type: 'task:landed', at: instant, task, commit: 'f'.repeat(40), tree: 'd'.repeat(40) },
  ];
}

/** The last failure of a task: the attempt's, and the decision not to try again. */
export function failed(id: string, at: number, attempt = 1): readonly RunEvent[] {
  const task = parseTaskId(id);
  const failure = { kind: 'agent-exit', code: 3, tail: 'boom' } as const;
  return [
    { type: 'attempt:failed', at: second(at), task, attempt, failure, salvage: null },
    { type: 'task:failed', at: second(at), task, failure },
  ];
}

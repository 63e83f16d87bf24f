import type { Candidate, RunEvent } from '../model/event';
import { parseRunId, parseTaskId } from '../model/ids';
import type { TaskId } from '../model/ids';
import type { AgentProfile, Plan, Settings, Task } from '../model/task';

/** What a test says about a task; the rest has quiet defaults. */
export type TaskSketch = Partial<Omit<Task, 'id' | 'index' | 'dependsOn'>> & {
  readonly dependsOn?: readonly string[];
};

/** Settings of a plan whose author wrote none. */
export const FIXTURE_SETTINGS: Settings = {
  maxAgents: 4,
  worktreeBase: '.worktrees/',
  lockTimeoutMs: 30_000,
  barrierTimeoutMs: 120_000,
  retry: { maxRetries: 3, backoff: 'none', baseMs: 0, maxMs: 0 },
  mergeStrategy: 'recursive',
  checkpoint: 'phase',
  failureStrategy: 'continue_on_failure',
  timeoutMs: 3_600_000,
  land: 'target',
  setup: { copy: [], link: [], run: [] },
  verify: [],
  budget: { usd: null, tokens: null },
  conflictPolicy: 'wait',
  limits: { team: {}, taskType: {} },
};

/**
 * A valid plan from task sketches by id, in order. Each task writes `<id>/**` and runs under the
 * profile `codemod` unless the sketch says otherwise.
 */
export function planOf(
  sketches: Readonly<Record<string, TaskSketch>>,
  settings: Partial<Settings> = {},
  phases: readonly string[] = [],
): Plan {
  const merged = { ...FIXTURE_SETTINGS, ...settings };
  const tasks = Object.entries(sketches).map(([id, sketch], index) =>
    taskOf(id, index, sketch, merged),
  );
  const names = new Set(tasks.map((task) => task.profile).filter((name) => name !== null));
  return {
    version: 1,
    file: 'parallel.yaml',
    settings: merged,
    agents: [...names].map(profileOf),
    phases,
    tasks,
  };
}

function taskOf(id: string, index: number, sketch: TaskSketch, settings: Settings): Task {
  return {
    profile: 'codemod',
    prompt: `Do ${id}.`,
    project: null,
    priority: 50,
    phase: null,
    access: { reads: [], writes: [`${id}/**`] },
    writesDeclared: true,
    resources: [],
    team: null,
    taskType: null,
    verify: [],
    timeoutMs: settings.timeoutMs,
    env: {},
    homeSlot: (index % settings.maxAgents) + 1,
    ...sketch,
    id: parseTaskId(id),
    index,
    dependsOn: (sketch.dependsOn ?? []).map(parseTaskId),
  };
}

function profileOf(name: string): AgentProfile {
  return {
    name,
    adapter: 'command',
    command: 'true',
    model: null,
    instructions: null,
    maxParallel: null,
    env: {},
  };
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
export function runStarted(plan: Plan): RunEvent {
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

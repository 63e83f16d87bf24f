import { parseTaskId } from '../model/ids';
import type { AgentProfile, Plan, Settings, Task } from '../model/task';

/** What a test says about a task; everything else is a plain default. */
export type TaskDraft = Partial<Omit<Task, 'id' | 'index' | 'dependsOn' | 'access'>> & {
  readonly id: string;
  readonly dependsOn?: readonly string[];
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
};

export interface PlanDraft {
  readonly tasks: readonly (TaskDraft | string)[];
  readonly phases?: readonly string[];
  readonly settings?: Partial<Settings>;
  readonly agents?: readonly Partial<AgentProfile>[];
}

export const DEFAULT_SETTINGS: Settings = {
  maxAgents: 25,
  worktreeBase: '.worktrees/',
  lockTimeoutMs: 30_000,
  barrierTimeoutMs: 120_000,
  retry: { maxRetries: 3, backoff: 'none', baseMs: 1000, maxMs: 60_000 },
  mergeStrategy: 'recursive',
  checkpoint: 'phase',
  failureStrategy: 'continue_on_failure',
  timeoutMs: 3_600_000,
  deadlineMs: null,
  healer: null,
  land: 'target',
  setup: { copy: [], link: [], run: [] },
  verify: [],
  budget: { usd: null, tokens: null },
  conflictPolicy: 'wait',
  limits: { team: {}, taskType: {} },
};

/** A valid plan from a few words: each task writes a folder of its own unless it says otherwise. */
export function planOf(draft: PlanDraft): Plan {
  const settings = { ...DEFAULT_SETTINGS, ...draft.settings };
  return {
    version: 1,
    file: null,
    settings,
    agents: (draft.agents ?? [{}]).map((agent) => ({
      name: 'shell',
      adapter: 'command',
      command: 'true',
      model: null,
      instructions: null,
      maxParallel: null,
      noop: null,
      resume: 'fresh',
      env: {},
      ...agent,
    })),
    phases: draft.phases ?? [],
    tasks: draft.tasks.map((task, index) =>
      taskOf(typeof task === 'string' ? { id: task } : task, index, settings.maxAgents),
    ),
  };
}

function taskOf(draft: TaskDraft, index: number, maxAgents: number): Task {
  const { id, dependsOn = [], reads = [], writes, ...rest } = draft;
  return {
    profile: 'shell',
    prompt: null,
    project: null,
    priority: 50,
    phase: null,
    resources: [],
    team: null,
    taskType: null,
    verify: [],
    timeoutMs: 3_600_000,
    deadlineMs: null,
    noop: 'accept',
    env: {},
    homeSlot: (index % maxAgents) + 1,
    writesDeclared: writes !== undefined,
    ...rest,
    id: parseTaskId(id),
    index,
    dependsOn: dependsOn.map(parseTaskId),
    access: { reads, writes: writes ?? [`${id}/**`] },
  };
}

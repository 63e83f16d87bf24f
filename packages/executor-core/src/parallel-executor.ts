import { EventEmitter } from 'node:events';
import type { AgentFunction } from './agents/function-agent';
import { openWorkspace, systemClock } from './create-executor';
import type { EventOf, RunEvent, RunEventType } from './model/event';
import type { RunResult } from './model/result';
import { UserError } from './model/user-error';
import type { AgentProfile } from './model/task';
import { renderDiagnostics } from './plan/diagnostics';
import type { AgentInput, PlanConfig, TaskInput } from './plan/plan-from-tasks';
import { planFromTasks } from './plan/plan-from-tasks';
import { LiveBarriers } from './run/live-barriers';
import type { Run } from './run/run';
import type { Workspace } from './run/workspace';

/**
 * How the executor is set up: where, with which agents, and what the plan file has under
 * `parallel_executor`, in camelCase.
 */
export interface ExecutorOptions extends Omit<PlanConfig, 'agents' | 'phases'> {
  /** Repository to work in. Default: the one around the working directory. */
  readonly cwd?: string;
  /**
   * Agent profiles by name: a function, or what `agents:` in a plan file holds. Default: those of the
   * repository's plan file, if it has one.
   */
  readonly agents?: Readonly<Record<string, AgentFunction | AgentInput>>;
}

export interface ExecuteOptions {
  /** Respect `phase` of the tasks: a phase starts when the one before has landed. Default true. */
  readonly phases?: boolean;
  /** Keep a journal from which a crashed run goes on. It is always kept. */
  readonly checkpoints?: boolean;
  /** Retry failed attempts. Default true. */
  readonly autoRecovery?: boolean;
}

export interface BarrierWaitChoice {
  /** Rejects after this many ms; default: waits as long as the run goes on. */
  readonly timeoutMs?: number;
}

/** Waits for a phase of the current execution. */
export interface BarrierHandle {
  /**
   * Resolves when every task of the phase, and of those before, has landed. Rejects at once when that
   * can never be: a member failed, the run ended without it, or the plan has no such phase.
   */
  wait(options?: BarrierWaitChoice): Promise<void>;
}

/** `barrier('phase_1').wait()`, or in one: `barrier.wait('phase_1')`. */
export interface BarrierAccess {
  (phase: string): BarrierHandle;
  wait(phase: string, options?: BarrierWaitChoice): Promise<void>;
}

/**
 * The programmatic front door.
 *
 * ```js
 * const executor = new ParallelExecutor({ maxAgents: 25 });
 * const results = await executor.execute(tasks, { phases: true, checkpoints: true, autoRecovery: true });
 * ```
 */
export class ParallelExecutor {
  private readonly emitter = new EventEmitter({ captureRejections: false });
  private readonly barriers = new LiveBarriers(systemClock());
  private run: Run | null = null;

  /** Waits for phases. Bound, so that `const { barrier } = executor` may be used alone. */
  readonly barrier: BarrierAccess = Object.assign(
    (phase: string): BarrierHandle => ({
      wait: (options) => this.barriers.wait(phase, options),
    }),
    {
      wait: (phase: string, options?: BarrierWaitChoice) => this.barriers.wait(phase, options),
    },
  );

  constructor(private readonly options: ExecutorOptions = {}) {
    this.emitter.setMaxListeners(0);
  }

  /** Calls `listener` for each event of this type, or for every event with `*`. */
  on<T extends RunEventType>(type: T, listener: (event: EventOf<T>) => void): this;
  on(type: '*', listener: (event: RunEvent) => void): this;
  /** Warnings about the tasks, as text. */
  on(type: 'warning', listener: (warning: string) => void): this;
  on(type: string, listener: (event: never) => void): this {
    this.emitter.on(type, listener as (event: unknown) => void);
    return this;
  }

  /**
   * Runs `tasks` in the repository and lands them. Rejects with `UserError` when the tasks make no
   * valid plan or the repository cannot be used; a failed task is part of the result.
   */
  async execute(tasks: readonly TaskInput[], options: ExecuteOptions = {}): Promise<RunResult> {
    if (this.run !== null)
      throw new Error('This executor runs already; use another one beside it.');
    const { cwd, agents, ...config } = this.options;
    const entries = Object.entries(agents ?? {});
    const functions = Object.fromEntries(
      entries.filter((entry): entry is [string, AgentFunction] => typeof entry[1] === 'function'),
    );
    const workspace = await openWorkspace(cwd ?? process.cwd(), functions);
    const { plan, warnings } = planFromTasks(
      options.phases === false ? tasks.map((task) => ({ ...task, phase: undefined })) : tasks,
      {
        ...config,
        ...(options.autoRecovery === false
          ? { retryPolicy: { ...config.retryPolicy, maxRetries: 0 } }
          : {}),
        agents:
          agents === undefined
            ? await agentsOfPlanFile(workspace)
            : Object.fromEntries(entries.map(profileOf)),
      },
    );
    for (const warning of warnings) this.emitter.emit('warning', warning);
    const run = await workspace.start(plan, { frontDoor: 'api' });
    this.run = run;
    this.barriers.begin(plan.phases);
    const stop = run.events.on((event) => {
      this.tell(event);
    });
    try {
      return await run.done;
    } finally {
      stop();
      this.run = null;
      this.barriers.end();
    }
  }

  /** Starts no further task until `resume`; running agents finish, or stand still with `suspend`. */
  pause(options: { readonly suspend?: boolean } = {}): void {
    this.run?.pause(options);
  }

  resume(): void {
    this.run?.resume();
  }

  /** Stops one agent (`agent-3`), one task, or `all`. */
  kill(target: string): void {
    this.run?.kill(target);
  }

  /** From now on at most `maxAgents` at once. */
  resize(maxAgents: number): void {
    this.run?.resize(maxAgents);
  }

  /** Has a task that did not land tried again, or `all` of them, while the run goes on. */
  retry(target: string): void {
    this.run?.retry(target);
  }

  private tell(event: RunEvent): void {
    this.barriers.take(event);
    this.emitter.emit(event.type, event);
    this.emitter.emit('*', event);
  }
}

function profileOf([name, agent]: [string, AgentFunction | AgentInput]): [string, AgentInput] {
  return [name, typeof agent === 'function' ? { adapter: 'function' } : agent];
}

async function agentsOfPlanFile(workspace: Workspace): Promise<readonly AgentProfile[]> {
  if (!(await workspace.hasPlan())) return [];
  const loaded = await workspace.loadPlan();
  if (loaded.ok) return loaded.plan.agents;
  throw new UserError('usage', renderDiagnostics(loaded.diagnostics, loaded.text), null);
}

import { EventEmitter } from 'node:events';
import type { AgentFunction } from './agents/function-agent';
import { openWorkspace } from './create-executor';
import type { EventOf, RunEvent, RunEventType } from './model/event';
import type { RunResult } from './model/result';
import { UserError } from './model/user-error';
import type { AgentProfile } from './model/task';
import { renderDiagnostics } from './plan/diagnostics';
import type { AgentInput, PlanConfig, TaskInput } from './plan/plan-from-tasks';
import { planFromTasks } from './plan/plan-from-tasks';
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

/** Waits for a phase of the current execution. */
export interface BarrierHandle {
  /** Resolves when every task of the phase, and of those before, has landed; rejects when the run ends without. */
  wait(): Promise<void>;
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
  private readonly opened = new Set<string>();
  private run: Run | null = null;
  private ended = false;

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
    this.ended = false;
    const stop = run.events.on((event) => {
      this.tell(event);
    });
    try {
      return await run.done;
    } finally {
      stop();
      this.run = null;
      this.ended = true;
      this.emitter.emit('parallel:ended');
    }
  }

  /** `barrier('phase_1').wait()`: the phase has landed. */
  barrier(phase: string): BarrierHandle {
    return {
      wait: () =>
        new Promise((resolve, reject) => {
          const check = (): void => {
            if (this.opened.has(phase)) settle(resolve);
            else if (this.ended)
              settle(() => {
                reject(new Error(`The run ended before ${phase} was complete.`));
              });
          };
          const settle = (then: () => void): void => {
            this.emitter.off('parallel:barrier', check).off('parallel:ended', check);
            then();
          };
          this.emitter.on('parallel:barrier', check).on('parallel:ended', check);
          check();
        }),
    };
  }

  /** Starts no further task until `resume`; running agents finish. */
  pause(): void {
    this.run?.pause();
  }

  resume(): void {
    this.run?.resume();
  }

  /** Stops one agent (`agent-3`), one task, or `all`. */
  kill(target: string): void {
    this.run?.kill(target);
  }

  private tell(event: RunEvent): void {
    if (event.type === 'barrier:opened') {
      this.opened.add(event.barrier);
      this.emitter.emit('parallel:barrier');
    }
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

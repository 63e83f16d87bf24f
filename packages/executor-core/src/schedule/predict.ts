import { Heap } from '../graph/heap';
import type { Fact } from '../model/event';
import type { TaskId } from '../model/ids';
import { parseRunId } from '../model/ids';
import type { Plan, Task } from '../model/task';
import type { Command } from './command';
import { decide } from './decide';
import type { Problem } from './problem';
import { prepareProblem, taskAt } from './problem';
import { initialState } from './run-state';

/** When and where a task works in a predicted run. Times in the unit of the durations given. */
export interface PredictedTask {
  readonly id: TaskId;
  /** 1-based; `null` for a milestone. */
  readonly slot: number | null;
  readonly start: number;
  readonly end: number;
}

/** A run that was played through and not performed. */
export interface Prediction {
  readonly agents: number;
  readonly makespan: number;
  /** Time the agents work, all together. */
  readonly work: number;
  /** Share of the agents' time in which they work, 0 to 1. */
  readonly utilisation: number;
  /** `work` over `makespan`: against one agent that never waits. */
  readonly speedup: number;
  readonly peak: number;
  /** In the order in which they ended. */
  readonly tasks: readonly PredictedTask[];
}

/** The plan as it would be with this many agents: home slots are dealt out anew. */
export function withAgents(plan: Plan, agents: number): Plan {
  return {
    ...plan,
    settings: { ...plan.settings, maxAgents: agents },
    tasks: plan.tasks.map((task) => ({ ...task, homeSlot: (task.index % agents) + 1 })),
  };
}

/**
 * Plays a plan through with the real scheduler on a clock of its own: leases are granted at once, every
 * attempt succeeds after `durationOf(task)` (finite and not negative; milestones take none), and its
 * work lands in no time. What waits in a real run for dependencies, barriers, conflicts, limits and slots
 * waits here as well, because `decide` says so.
 *
 * @param expectedMs what the scheduler believes about durations, as for `prepareProblem`.
 */
export function predictRun(
  plan: Plan,
  durationOf: (task: Task) => number,
  expectedMs: (task: Task) => number | null = durationOf,
): Prediction {
  return new PlayedRun(prepareProblem(plan, expectedMs), durationOf).play();
}

/** What starts a run that nobody runs. */
function openingOf({ file, settings, tasks }: Plan): Fact {
  return {
    type: 'run:started',
    run: parseRunId('PEXEC-0'),
    planFile: file,
    planDigest: '',
    base: '',
    target: null,
    maxAgents: settings.maxAgents,
    frontDoor: 'api',
    tasks: tasks.length,
    owner: { pid: 0, startTime: '', bootId: '', host: '' },
    at: 0,
  };
}

/** The result of every attempt: there is nothing to land. */
const NOTHING = { commit: '', tree: '', base: '', ref: '', noop: true, files: [], fileCount: 0 };

type Start = Extract<Command, { readonly type: 'start' }>;
type Acquire = Extract<Command, { readonly type: 'acquire' }>;

/** The world of a prediction: performs commands on a clock that jumps from one end to the next. */
class PlayedRun {
  private readonly inbox: Fact[];
  private readonly done: PredictedTask[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly attempts = new Map<number, Pick<Start, 'attempt' | 'token'>>();
  private readonly slots = new Map<TaskId, number>();
  private readonly taken = new Set<number>();
  /** Asked for when no slot of theirs was free; served in order. */
  private unserved: readonly Acquire[] = [];
  private readonly running = new Heap((index) => this.ends[index] ?? 0);
  private now = 0;
  private peak = 0;
  private tokens = 0;

  constructor(
    private readonly problem: Problem,
    private readonly durationOf: (task: Task) => number,
  ) {
    this.inbox = [openingOf(problem.plan)];
  }

  play(): Prediction {
    let state = initialState(this.problem);
    for (;;) {
      const fact = this.inbox.shift() ?? this.nextEnd();
      if (fact === null) return this.summary();
      const [next, commands] = decide(state, fact);
      state = next;
      for (const command of commands) this.perform(command);
    }
  }

  private nextEnd(): Fact | null {
    if (this.running.size === 0) return null;
    const index = this.running.pop();
    this.now = Math.max(this.now, this.ends[index] ?? 0);
    const task = taskAt(this.problem, index);
    this.inbox.push(this.landed(task));
    return this.handedIn(task);
  }

  private handedIn({ id, index }: Task): Fact {
    const { attempt, token } = this.attempts.get(index) ?? { attempt: 1, token: 0 };
    const candidate = { ...NOTHING, fence: token };
    return { type: 'task:queued', task: id, attempt, candidate, at: this.now };
  }

  private landed(task: Task): Fact {
    const [start, end] = [this.starts[task.index] ?? this.now, this.now];
    this.done.push({ id: task.id, slot: this.slots.get(task.id) ?? null, start, end });
    return { type: 'task:landed', task: task.id, commit: null, tree: null, at: this.now };
  }

  private perform(command: Command): void {
    switch (command.type) {
      case 'acquire':
        this.grant(command);
        return;
      case 'withdraw':
        this.unserved = this.unserved.filter(({ task }) => task !== command.task);
        return;
      case 'pass':
        this.inbox.push(this.landed(this.taskOf(command.task)));
        return;
      case 'start':
        this.start(this.taskOf(command.task), command);
        return;
      case 'free':
        this.free(command.task);
        return;
      case 'record':
      case 'land':
      case 'halt':
      case 'wake':
      case 'stop':
      case 'suspend':
      case 'continue':
      case 'deadline':
        return;
    }
  }

  private grant(request: Acquire): void {
    const slot = request.slots.find((one) => !this.taken.has(one));
    if (slot === undefined) {
      this.unserved = [...this.unserved, request];
      return;
    }
    const { task } = request;
    this.taken.add(slot);
    this.slots.set(task, slot);
    this.tokens += 1;
    this.inbox.push({ type: 'task:leased', task, slot, token: this.tokens, at: this.now });
  }

  private start(task: Task, { attempt, token }: Start): void {
    this.attempts.set(task.index, { attempt, token });
    this.starts[task.index] = this.now;
    this.ends[task.index] = this.now + this.durationOf(task);
    this.running.push(task.index);
    this.peak = Math.max(this.peak, this.running.size);
  }

  private free(id: TaskId): void {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    this.slots.delete(id);
    this.taken.delete(slot);
    const [next, ...others] = this.unserved;
    if (next === undefined) return;
    this.unserved = others;
    this.grant(next);
  }

  private taskOf(id: TaskId): Task {
    return taskAt(this.problem, this.problem.indexOf.get(id) ?? -1);
  }

  private summary(): Prediction {
    const { maxAgents } = this.problem.plan.settings;
    const work = this.done.reduce((sum, task) => sum + task.end - task.start, 0);
    return {
      agents: maxAgents,
      makespan: this.now,
      work,
      utilisation: this.now > 0 ? work / (this.now * maxAgents) : 0,
      speedup: this.now > 0 ? work / this.now : 1,
      peak: this.peak,
      tasks: this.done,
    };
  }
}

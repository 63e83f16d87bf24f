import type { ControlRequest } from '../model/control-request';
import type { Candidate, EventOf, Fact, RunEvent } from '../model/event';
import type { Failure } from '../model/failure';
import type { RunId, TaskId } from '../model/ids';
import type { ProcessIdentity } from '../model/process';
import type { Command } from '../schedule/command';
import { decide } from '../schedule/decide';
import type { ExpectedMs } from '../schedule/problem';
import { prepareProblem } from '../schedule/problem';
import type { RunState } from '../schedule/run-state';
import { initialState, stateOf } from '../schedule/run-state';
import type { PlanDraft } from './plan';
import { planOf } from './plan';

export const OWNER: ProcessIdentity = { pid: 1, startTime: '', bootId: '', host: '' };

const EXIT: Failure = { kind: 'agent-exit', code: 1, tail: '' };

/** A candidate made under the lease `fence`. */
export const madeUnder = (fence: number): Candidate => ({
  commit: 'c',
  tree: 't',
  base: 'b',
  ref: 'r',
  fence,
  noop: false,
  files: [],
  fileCount: 0,
});

/** `Omit` that keeps the members of a union apart. */
type WithoutStamp<T> = T extends unknown ? Omit<T, 'at'> : never;

/** A fact without its time, which it gets when it is delivered. */
export type Report = WithoutStamp<Fact>;

/** The first report of a run of `tasks` tasks. */
export const runStarted = (tasks: number, maxAgents: number): Report => ({
  type: 'run:started',
  run: 'PEXEC-1' as RunId,
  planFile: null,
  planDigest: '',
  base: 'b',
  target: null,
  maxAgents,
  frontDoor: 'api',
  tasks,
  owner: OWNER,
});

/** Drives the scheduler by hand and remembers what it said. Its clock, `now`, is moved by the test. */
export class SchedulerBench {
  state: RunState;
  now = 0;
  commands: Command[] = [];
  readonly journal: RunEvent[] = [];
  private token = 0;

  constructor(draft: PlanDraft, expectedMs?: ExpectedMs) {
    this.state = initialState(prepareProblem(planOf(draft), expectedMs));
  }

  tell(fact: Report): this {
    const stamped: Fact = { ...fact, at: this.now };
    const [state, commands] = decide(this.state, stamped);
    this.state = state;
    this.commands.push(...commands);
    const decisions = commands.flatMap((c) => (c.type === 'record' ? [c.event] : []));
    this.journal.push(stamped, ...decisions);
    return this;
  }

  start(): this {
    const { tasks, settings } = this.state.problem.plan;
    return this.tell(runStarted(tasks.length, settings.maxAgents));
  }

  resume(): this {
    return this.tell({ type: 'run:resumed', owner: OWNER });
  }

  /** Task ids of the commands of a kind since the last call. */
  take(type: Command['type']): string[] {
    return this.takeAll(type).flatMap((c) => ('task' in c && c.task !== null ? [c.task] : []));
  }

  /** The commands of a kind since the last call. */
  takeAll<T extends Command['type']>(type: T): Extract<Command, { type: T }>[] {
    const isWanted = (c: Command): c is Extract<Command, { type: T }> => c.type === type;
    const found = this.commands.filter(isWanted);
    this.commands = this.commands.filter((c) => !isWanted(c));
    return found;
  }

  /** The events of a kind, from the start of the run. */
  events<T extends RunEvent['type']>(type: T): EventOf<T>[] {
    return this.journal.filter((event): event is EventOf<T> => event.type === type);
  }

  lease(task: string, slot = 1, token = ++this.token): this {
    this.token = Math.max(this.token, token);
    return this.tell({ type: 'task:leased', task: task as TaskId, slot, token });
  }

  /** The current attempt hands in its result. */
  queue(task: string): this {
    const now = stateOf(this.state, task as TaskId);
    const token = now !== undefined && 'token' in now ? now.token : 0;
    const candidate = madeUnder(token);
    const attempt = this.attemptOf(task);
    return this.tell({ type: 'task:queued', task: task as TaskId, attempt, candidate });
  }

  land(task: string): this {
    return this.tell({ type: 'task:landed', task: task as TaskId, commit: 'c', tree: 't' });
  }

  /** From lease to landing. */
  finish(task: string, slot = 1): this {
    return this.lease(task, slot).queue(task).land(task);
  }

  fail(
    task: string,
    failure: Failure = EXIT,
    attempt = this.attemptOf(task),
    token?: number,
  ): this {
    const id = task as TaskId;
    return this.tell({ type: 'attempt:failed', task: id, attempt, failure, salvage: null, token });
  }

  due(task: string): this {
    return this.tell({ type: 'timer:due', task: task as TaskId });
  }

  ask(request: ControlRequest): this {
    return this.tell({ type: 'control:requested', request, by: 'test' });
  }

  attemptOf(task: string): number {
    return stateOf(this.state, task as TaskId)?.attempt ?? 0;
  }

  nameOf(task: string): string | undefined {
    return stateOf(this.state, task as TaskId)?.name;
  }

  /** State names of several tasks. */
  names(...tasks: readonly string[]): (string | undefined)[] {
    return tasks.map((task) => this.nameOf(task));
  }
}

/** A run of the plan that has just started. */
export const startedBench = (draft: PlanDraft, expectedMs?: ExpectedMs): SchedulerBench =>
  new SchedulerBench(draft, expectedMs).start();

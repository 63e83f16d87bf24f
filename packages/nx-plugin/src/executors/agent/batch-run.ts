import type { NxTaskOutcome, RunEvent } from '@parallel-executor/core';
import { inNxTaskTurn, runPlanTasks } from '@parallel-executor/core';
import { FRESH_VARIABLE } from '../../nx-run';
import { readWorkspacePlan } from '../../read-plan';
import type { BatchTask, BatchTaskResult } from './batch-task';
import { eventLine } from './event-line';
import { isUpToDate, noteKey, resultKey } from './reuse';
import type { SharedRun } from './shared-run';
import { land, reusedLine, sharedRun, waitingLine } from './shared-run';

type Status = BatchTaskResult['result']['status'];

/** The tasks of one batch on their way: each is told once, when it is settled. */
export class BatchRun {
  private readonly shared: SharedRun;
  private readonly settled = new Map<string, Status>();
  private readonly lines = new Map<string, string[]>();
  private readonly startTimes = new Map<string, number>();
  private readonly begun = Date.now();

  /** @param tasks Each behind those it waits for. */
  constructor(
    private readonly tasks: readonly BatchTask[],
    private readonly root: string,
    private readonly signal: AbortSignal,
    private readonly tell: (result: BatchTaskResult) => void,
  ) {
    this.shared = sharedRun(root);
  }

  /** Resolves when every task is told. */
  async perform(): Promise<void> {
    for (const one of this.tasks)
      if (one.refused !== null) this.settle(one, 'failure', one.refused);
    await this.landWhatIsThere();
    this.skipHopeless();
    const { root: cwd, signal } = this;
    const tasks = this.open().map(({ task }) => task);
    if (tasks.length === 0) return;
    const onWaiting = (task: string): void => {
      console.log(waitingLine(task));
    };
    await inNxTaskTurn({ cwd, tasks, signal, onWaiting }, () => this.reuseAndRun());
  }

  /** Settles what is not settled yet as failed, with the reason. */
  failRest(reason: string): void {
    for (const one of this.open()) this.settle(one, 'failure', `${one.task}: ${reason}`);
  }

  private open(): readonly BatchTask[] {
    return this.tasks.filter(({ id }) => !this.settled.has(id));
  }

  /** What came from the cache is restored but not landed yet, and these tasks build upon it. */
  private async landWhatIsThere(): Promise<void> {
    const here = new Set(this.tasks.map(({ task }) => task));
    const before = new Set(this.open().flatMap(({ upstream }) => upstream));
    const missing = await land(
      this.shared,
      [...before].filter((task) => !here.has(task)),
    );
    for (const one of this.open()) {
      const why = one.upstream.flatMap((task) => missing.get(task) ?? []);
      if (why.length > 0) this.settle(one, 'failure', ...why);
    }
  }

  /** What comes after a task that will not land. */
  private skipHopeless(): void {
    for (const one of this.open()) {
      if (one.after.some((id) => this.isLost(id))) this.settle(one, 'skipped');
    }
  }

  private isLost(id: string): boolean {
    const status = this.settled.get(id);
    return status !== undefined && status !== 'success';
  }

  private async reuseAndRun(): Promise<void> {
    const plan = readWorkspacePlan(this.root);
    const keyOf = ({ task, upstream }: BatchTask): string =>
      resultKey(this.root, plan.keyOf(task), upstream);
    if (process.env[FRESH_VARIABLE] !== 'true') await this.reuse(keyOf);
    const byTask = new Map(this.open().map((one) => [one.task, one]));
    if (byTask.size === 0) return;
    const planTask = new Map(this.tasks.map(({ id, task }) => [id, task]));
    const tasks = [...byTask.values()].map(({ task, after }) => {
      const waitsFor = after.map((id) => planTask.get(id) ?? '').filter((id) => byTask.has(id));
      return { task, after: waitsFor };
    });
    const onEvent = (event: RunEvent): void => {
      const one = 'task' in event ? byTask.get(event.task) : undefined;
      if (one !== undefined) this.note(event, one, keyOf);
    };
    const { shared, signal } = this;
    await runPlanTasks({ ...shared, tasks, signal, onEvent }, (outcome) => {
      const one = byTask.get(outcome.task);
      if (one !== undefined) this.take(one, outcome);
    });
  }

  /** A result comes from its bundle when nothing it was made from has changed. */
  private async reuse(keyOf: (one: BatchTask) => string): Promise<void> {
    const tried = new Set<string>();
    for (;;) {
      const next = this.open().filter(
        (one) =>
          !tried.has(one.id) &&
          one.after.every((id) => this.settled.get(id) === 'success') &&
          isUpToDate(this.root, one.task, keyOf(one)),
      );
      if (next.length === 0) return;
      const missing = await land(
        this.shared,
        next.map(({ task }) => task),
      );
      for (const one of next) {
        tried.add(one.id);
        if (!missing.has(one.task)) this.settle(one, 'success', reusedLine(one.task));
      }
    }
  }

  private note(event: RunEvent, one: BatchTask, keyOf: (one: BatchTask) => string): void {
    if (event.type === 'task:started' && !this.startTimes.has(one.id)) {
      this.startTimes.set(one.id, event.at);
    }
    // Its bundle is there from now on: whoever comes after a crash lands that.
    if (event.type === 'task:queued') noteKey(this.root, one.task, keyOf(one));
    const line = eventLine(event, one.task);
    if (line !== null) this.linesOf(one).push(line);
  }

  private take(one: BatchTask, { status, reason }: NxTaskOutcome): void {
    this.settle(one, status, ...(reason === null ? [] : [`${one.task}: ${reason}`]));
  }

  private linesOf({ id }: BatchTask): string[] {
    const lines = this.lines.get(id) ?? [];
    this.lines.set(id, lines);
    return lines;
  }

  private settle(one: BatchTask, status: Status, ...more: readonly string[]): void {
    if (this.settled.has(one.id)) return;
    this.settled.set(one.id, status);
    const lines = [...this.linesOf(one), ...more];
    this.tell({
      task: one.id,
      result: {
        success: status === 'success',
        status,
        terminalOutput: lines.map((line) => `${line}\n`).join(''),
        startTime: this.startTimes.get(one.id) ?? this.begun,
        endTime: Date.now(),
      },
    });
  }
}

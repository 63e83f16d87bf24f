import type { Fact } from '../model/event';
import type { RunId, TaskId } from '../model/ids';
import type { Task } from '../model/task';
import type { Clock } from '../ports/clock';
import type { LeaseStore } from '../locks/lease-store';
import type { Command } from '../schedule/command';
import type { AttemptRunner } from './attempt';
import type { Lander } from './lander';
import type { Performer } from './run-loop';

/** How long a lease is asked for before the attempt is given up: a day, because waiting is no failure. */
const LEASE_PATIENCE_MS = 24 * 60 * 60 * 1000;

export interface PerformerDeps {
  readonly clock: Clock;
  readonly leases: LeaseStore;
  readonly attempts: AttemptRunner;
  readonly lander: Lander;
  readonly run: RunId;
  readonly taskOf: (id: TaskId) => Task;
  readonly conflictPolicy: Parameters<LeaseStore['acquire']>[0]['policy'];
  readonly emit: (fact: Fact) => Promise<void>;
}

/** What is under way and must be ended when the run ends. */
export interface Activity {
  readonly perform: Performer;
  /** Leases already held, e.g. after a restart: `free` gives these back. */
  adopt(task: TaskId, token: number): void;
  /** Ends timers and requests, and waits until every attempt and release is over. */
  settle(): Promise<void>;
}

/** Turns commands into work: leases, attempts, landings, timers. */
export function createActivity(deps: PerformerDeps): Activity {
  const asking = new Map<TaskId, AbortController>();
  const tokens = new Map<TaskId, number>();
  const timers = new Map<TaskId, () => void>();
  const work = new Set<Promise<unknown>>();
  const freeing = new Set<Promise<unknown>>();
  const track = (promise: Promise<unknown>, group: Set<Promise<unknown>> = work): void => {
    group.add(promise);
    void promise.finally(() => group.delete(promise));
  };
  const perform = (command: Exclude<Command, { type: 'record' }>): void => {
    switch (command.type) {
      case 'acquire':
        // What this turn gives back is there before anything asks for it.
        track(Promise.all(freeing).then(() => acquire(deps, command, asking, tokens)));
        return;
      case 'withdraw':
        asking.get(command.task)?.abort();
        return;
      case 'start':
        track(deps.attempts.start(command));
        return;
      case 'pass':
        track(deps.emit({ type: 'task:landed', task: command.task, commit: null, tree: null, at: deps.clock.now() }));
        return;
      case 'land':
        deps.lander.request();
        return;
      case 'halt':
        deps.lander.halt();
        return;
      case 'free':
        track(free(deps.leases, command, tokens), freeing);
        return;
      case 'wake':
        wake(deps, command, timers);
        return;
      case 'stop':
        deps.attempts.stop(command.task, command.how);
        return;
    }
  };
  const settle = async (): Promise<void> => {
    for (const cancel of timers.values()) cancel();
    for (const request of asking.values()) request.abort();
    while (work.size + freeing.size > 0) await Promise.allSettled([...work, ...freeing]);
    await deps.lander.idle();
  };
  return { perform, adopt: (task, token) => tokens.set(task, token), settle };
}

async function acquire(
  deps: PerformerDeps,
  command: Extract<Command, { type: 'acquire' }>,
  asking: Map<TaskId, AbortController>,
  tokens: Map<TaskId, number>,
): Promise<void> {
  const task = deps.taskOf(command.task);
  const abort = new AbortController();
  asking.set(task.id, abort);
  const now = (): number => deps.clock.now();
  const answer = await deps.leases.acquire(
    {
      run: deps.run,
      task: task.id,
      access: task.access,
      resources: task.resources,
      policy: deps.conflictPolicy,
      priority: task.priority,
      slots: command.slots,
    },
    {
      signal: abort.signal,
      timeoutMs: LEASE_PATIENCE_MS,
      onWaiting: (holders) => void deps.emit({ type: 'task:waiting', task: task.id, holders, at: now() }),
    },
  );
  if (asking.get(task.id) === abort) asking.delete(task.id);
  if (answer.granted && abort.signal.aborted) {
    await deps.leases.release(answer.lease.token);
  } else if (answer.granted) {
    const { token, slot } = answer.lease;
    tokens.set(task.id, token);
    await deps.emit({ type: 'task:leased', task: task.id, slot: slot ?? 0, token, at: now() });
  } else if (answer.reason === 'timeout') {
    const failure = { kind: 'lease-timeout', waitedMs: LEASE_PATIENCE_MS, holders: answer.holders } as const;
    await deps.emit({ type: 'attempt:failed', task: task.id, attempt: 0, failure, salvage: null, at: now() });
  }
}

async function free(
  leases: LeaseStore,
  command: Extract<Command, { type: 'free' }>,
  tokens: Map<TaskId, number>,
): Promise<void> {
  const token = tokens.get(command.task);
  if (token === undefined) return;
  if (command.what === 'slot') {
    await leases.releaseSlot(token);
  } else {
    tokens.delete(command.task);
    await leases.release(token);
  }
}

function wake(
  deps: PerformerDeps,
  command: Extract<Command, { type: 'wake' }>,
  timers: Map<TaskId, () => void>,
): void {
  timers.get(command.task)?.();
  const delay = Math.max(0, command.at - deps.clock.now());
  const cancel = deps.clock.after(delay, () => {
    timers.delete(command.task);
    void deps.emit({ type: 'timer:due', task: command.task, at: deps.clock.now() });
  });
  timers.set(command.task, cancel);
}

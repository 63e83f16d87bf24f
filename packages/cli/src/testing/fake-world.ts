import type {
  ControlRequest,
  DurationModel,
  LoadedPlan,
  Plan,
  Run,
  RunEvent,
  RunReader,
  RunResult,
  Workspace,
} from '@parallel-executor/core';
import { learnDurations, parseRunId, runResult } from '@parallel-executor/core';
import type { Deps, StopSignal } from '../deps';
import type { Out } from '../terminal';

/** A stream that remembers what was written; `close` plays a reader that goes away. */
export class FakeOut implements Out {
  text = '';
  closed = false;
  readonly writes: string[] = [];
  readonly #closeListeners = new Set<() => void>();
  readonly #resizeListeners = new Set<() => void>();

  columns: number | undefined;
  rows: number | undefined;

  constructor(
    readonly isTTY = false,
    columns?: number,
    rows?: number,
  ) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    if (this.closed) return;
    this.text += text;
    this.writes.push(text);
  }

  onResize(callback: () => void): () => void {
    this.#resizeListeners.add(callback);
    return () => this.#resizeListeners.delete(callback);
  }

  onClose(callback: () => void): () => void {
    this.#closeListeners.add(callback);
    return () => this.#closeListeners.delete(callback);
  }

  resize(columns: number): void {
    this.columns = columns;
    for (const listener of this.#resizeListeners) listener();
  }

  close(): void {
    this.closed = true;
    for (const listener of this.#closeListeners) listener();
  }
}

/** A world under the test's control: it moves time, sends signals, and plays the engine. */
export class FakeWorld implements Deps {
  readonly stdout: FakeOut;
  readonly stderr: FakeOut;
  env: Record<string, string> = {};
  readonly cwd = '/repo';
  time = 0;
  /** Folders `openWorkspace` was called with. */
  readonly opened: string[] = [];
  readonly #timers = new Set<{ readonly ms: number; readonly callback: () => void }>();
  readonly #signals = new Map<StopSignal, Set<() => void>>();

  constructor(
    readonly workspace: Workspace = fakeWorkspace({}),
    streams: { readonly stdout?: FakeOut; readonly stderr?: FakeOut } = {},
  ) {
    this.stdout = streams.stdout ?? new FakeOut();
    this.stderr = streams.stderr ?? new FakeOut();
  }

  openWorkspace = (cwd: string): Promise<Workspace> => {
    this.opened.push(cwd);
    return Promise.resolve(this.workspace);
  };

  now = (): number => this.time;

  every = (ms: number, callback: () => void): (() => void) => {
    const timer = { ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  onSignal = (signal: StopSignal, callback: () => void): (() => void) => {
    const listeners = this.#signals.get(signal) ?? new Set();
    this.#signals.set(signal, listeners.add(callback));
    return () => listeners.delete(callback);
  };

  send(signal: StopSignal): void {
    for (const listener of [...(this.#signals.get(signal) ?? [])]) listener();
  }

  /** Timers and signal handlers nobody has taken back. */
  get leftovers(): number {
    return this.#timers.size + [...this.#signals.values()].reduce((sum, set) => sum + set.size, 0);
  }

  /** Moves time on and rings every timer once. */
  tick(ms: number): void {
    this.time += ms;
    for (const timer of [...this.#timers]) timer.callback();
  }
}

/** Nothing has run yet, so no duration is known. */
export const NO_HISTORY = learnDurations([], ({ id }) => id);

/** A workspace without history that can do what `parts` can; anything else fails the test. */
export function fakeWorkspace(parts: Partial<Workspace>): Workspace {
  const all: Partial<Workspace> = {
    durations: () => Promise.resolve(NO_HISTORY),
    withDefaultSetup: (plan: Plan) => Promise.resolve(plan),
    forecastEvidence: () => Promise.resolve({ commits: [], projects: null }),
    ...parts,
  };
  return new Proxy(all as Workspace, {
    get(target, name): unknown {
      // A promise that resolves with it asks for `then`.
      if (name === 'then' || name in target) return Reflect.get(target, name);
      throw new Error(`unexpected use of ${String(name)}`);
    },
  });
}

/** A plan that loads. */
export function loaded(plan: Plan): LoadedPlan {
  return { ok: true, plan, warnings: [], text: '', file: 'parallel.yaml' };
}

/** A run the test plays: it emits events and ends the run. */
export class FakeRun implements Run {
  readonly id = parseRunId('PEXEC-1705316400000');
  readonly notes: readonly string[] = [];
  readonly durations = NO_HISTORY;
  readonly reportPath = '/repo/.parallel/runs/PEXEC-1705316400000/report/result.json';
  /** Calls, as `stop drain`, `kill agent-1`. */
  readonly calls: string[] = [];
  readonly journal: RunEvent[] = [];
  readonly #listeners = new Set<(event: RunEvent) => void>();
  #finish: (result: RunResult) => void = () => undefined;
  readonly done: Promise<RunResult>;
  onStop: (how: string) => void = () => undefined;

  constructor(readonly plan: Plan) {
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  readonly events = {
    on: (listener: (event: RunEvent) => void): (() => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  emit(...events: readonly RunEvent[]): void {
    for (const event of events) {
      this.journal.push(event);
      for (const listener of this.#listeners) listener(event);
    }
  }

  end(): void {
    this.#finish(runResult(this.plan, this.journal, this.journal.at(-1)?.at ?? 0));
  }

  pause(): void {
    this.calls.push('pause');
  }

  resize(maxAgents: number): void {
    this.calls.push(`agents ${maxAgents}`);
  }

  retry(target: string): void {
    this.calls.push(`retry ${target}`);
  }

  resume(): void {
    this.calls.push('resume');
  }

  kill(target: string): void {
    this.calls.push(`kill ${target}`);
  }

  stop(how: 'drain' | 'stop' | 'kill'): void {
    this.calls.push(`stop ${how}`);
    this.onStop(how);
  }
}

/** A reader over given events; `push` plays the process that drives the run. */
export class FakeReader implements RunReader {
  readonly id = parseRunId('PEXEC-1705316400000');
  alive = true;
  logs: readonly { readonly task: string; readonly attempt: number; readonly path: string }[] = [];
  readonly #listeners = new Set<(events: readonly RunEvent[]) => void>();

  constructor(
    readonly plan: Plan,
    readonly journal: RunEvent[],
  ) {}

  durations = (): Promise<DurationModel> => Promise.resolve(NO_HISTORY);
  withDefaultSetup = (plan: Plan): Promise<Plan> => Promise.resolve(plan);

  unread: readonly string[] = [];

  problems = (): Promise<readonly string[]> => Promise.resolve(this.unread);

  events = (): Promise<readonly RunEvent[]> => Promise.resolve([...this.journal]);

  follow = (listener: (events: readonly RunEvent[]) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  push(...events: readonly RunEvent[]): void {
    this.journal.push(...events);
    for (const listener of this.#listeners) listener(events);
  }

  ownerAlive = (): Promise<boolean> => Promise.resolve(this.alive);

  transcripts = (
    task?: string,
  ): Promise<
    readonly { readonly task: string; readonly attempt: number; readonly path: string }[]
  > => Promise.resolve(this.logs.filter((log) => task === undefined || log.task === task));
}

/** A workspace that remembers the requests made to its live run. */
export function controlled(answer: {
  readonly delivered: boolean;
  readonly kept?: boolean;
  readonly reason: string | null;
}): { readonly workspace: Workspace; readonly requests: ControlRequest[] } {
  const requests: ControlRequest[] = [];
  const workspace = fakeWorkspace({
    request: (request) => {
      requests.push(request);
      return Promise.resolve({ runId: parseRunId('PEXEC-1'), kept: false, ...answer });
    },
  });
  return { workspace, requests };
}

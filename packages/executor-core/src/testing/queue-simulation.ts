import type { FoundLanded, Line } from '../merge/branch-line';
import { Drain } from '../merge/drain';
import type { DrainContext } from '../merge/drain-context';
import { rememberVerdicts } from '../merge/remember-verdicts';
import type { Layer, QueueItem, Stack } from '../merge/stack';
import type { Failure } from '../model/failure';
import { parseTaskId } from '../model/ids';

/** A queue whose candidates, checks and flakes are drawn from a seed. */
export interface QueueWorld {
  readonly candidates: number;
  /** Trees verified at once. */
  readonly slots: number;
  /** Chance of a candidate to turn any tree red. */
  readonly bad: number;
  /** Chance of two candidates of a project to be red together only. */
  readonly clash: number;
  /** Chance of a candidate to be red until the next one is there too. */
  readonly halves?: number;
  /** Every commit is verified. */
  readonly each?: boolean;
  /** Chance of a green tree to look red. */
  readonly flake: number;
  /** Projects the candidates are spread over, each in a lane of its own; 0: one lane, nobody can tell. */
  readonly projects: number;
  /** Candidates that are queued from the start; the others come while it works. */
  readonly atFirst?: number;
  readonly seed: number;
}

export interface QueueOutcome {
  readonly landed: number;
  /** Candidates rejected although no tree with them would have been red. */
  readonly wronged: number;
  readonly rejected: number;
  /** Verifications begun, those of suspects among them. */
  readonly runs: number;
  /** Second looks at a candidate that was red alone. */
  readonly confirmations: number;
  /** Time until the queue was empty; a verification takes 1. */
  readonly rounds: number;
  /** Commits of the branch whose tree was red, and ends of a move that were. */
  readonly redCommits: number;
  readonly redTips: number;
}

/**
 * Drives the real drain over trees that are sets of candidates, in a time of its own. A tree is red
 * when it holds a bad candidate, or two that clash; only candidates of one project clash.
 */
export async function simulateQueue(world: QueueWorld): Promise<QueueOutcome> {
  const random = randomFrom(world.seed);
  const trouble = drawTrouble(world, random);
  const clock = new StepClock();
  const line = new SetLine(trouble.isRed);
  const items = Array.from({ length: world.candidates }, (_, index) => itemOf(index));
  const waiting = new Set(items.slice(0, world.atFirst ?? world.candidates));
  const late = items.filter((item) => !waiting.has(item));
  let arrived: () => void = () => undefined;
  let runs = 0;
  let confirmations = 0;
  const verify = rememberVerdicts(async (_commit, tree, _base, how) => {
    runs += 1;
    if (how?.again === true) confirmations += 1;
    const red = trouble.isRed(membersOf(tree)) || random() < world.flake;
    for (const item of late.splice(0, 2)) waiting.add(item);
    arrived();
    await clock.pass(1, how?.signal);
    return how?.signal?.aborted === true ? STOPPED : red ? RED : null;
  });
  const wronged: number[] = [];
  const settled = (item: QueueItem): Promise<void> => {
    waiting.delete(item);
    return Promise.resolve();
  };
  const context: DrainContext = {
    root: '',
    ref: '',
    queue: [...waiting],
    verify,
    slots: world.slots,
    verifyEach: world.each ?? false,
    ...(world.projects === 0 ? {} : { affected: (item) => Promise.resolve(trouble.of(item)) }),
    arrivals: {
      next: () => new Promise((resolve) => (arrived = resolve)),
      read: () => Promise.resolve([...waiting]),
    },
    checkFences: () => Promise.resolve(() => true),
    conflictPolicy: 'wait',
    onMerging: () => Promise.resolve(),
    onLanded: settled,
    onRejected: (item) => {
      if (!trouble.isGuilty(numberOf(item), line.members)) wronged.push(numberOf(item));
      return settled(item);
    },
  };
  const drain = new Drain(line, stackOf, context);
  const ending = await clock.drive(drain.round());
  if (ending !== 'done') throw new Error(`The queue ended as ${ending}.`);
  return {
    landed: drain.landed.length,
    rejected: drain.rejected.length,
    wronged: wronged.length,
    runs,
    confirmations,
    rounds: clock.now,
    redCommits: line.redCommits,
    redTips: line.redTips,
  };
}

const RED: Failure = { kind: 'verify-failed', where: 'merged', command: '', code: 1, tail: '' };
const STOPPED: Failure = { kind: 'interrupted', message: '' };

/** Time that goes on when everybody waits. */
class StepClock {
  now = 0;
  private sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  pass(time: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.sleepers.push({ at: this.now + time, wake: resolve });
      signal?.addEventListener('abort', () => {
        resolve();
      });
    });
  }

  async drive<T>(work: Promise<T>): Promise<T> {
    const state = { over: false };
    const ended = work.finally(() => {
      state.over = true;
    });
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (state.over) return ended;
      if (this.sleepers.length === 0) continue;
      const at = Math.min(...this.sleepers.map((sleeper) => sleeper.at));
      this.now = at;
      const due = this.sleepers.filter((sleeper) => sleeper.at === at);
      this.sleepers = this.sleepers.filter((sleeper) => sleeper.at !== at);
      for (const { wake } of due) wake();
    }
  }
}

/** A branch whose trees are sets of candidates, written as their numbers. */
class SetLine implements Line {
  commit = '';
  tree = '';
  redCommits = 0;
  redTips = 0;

  constructor(private readonly isRed: (members: readonly number[]) => boolean) {}

  get members(): readonly number[] {
    return membersOf(this.tree);
  }

  read(): Promise<string> {
    return Promise.resolve(this.commit);
  }

  moveTo({ commit, tree }: Layer): Promise<boolean> {
    const before = this.members.length;
    const now = membersOf(commit);
    if (commit !== tree || !commit.startsWith(this.commit)) throw new Error('The branch broke.');
    for (let length = before + 1; length <= now.length; length += 1) {
      if (this.isRed(now.slice(0, length))) this.redCommits += 1;
    }
    if (this.isRed(now)) this.redTips += 1;
    this.commit = commit;
    this.tree = tree;
    return Promise.resolve(true);
  }

  findLanded(): Promise<readonly FoundLanded[]> {
    return Promise.resolve([]);
  }
}

function stackOf(items: readonly QueueItem[], tip: string): Promise<Stack> {
  const layers: Layer[] = [];
  let below = tip;
  for (const item of items) {
    below += `${numberOf(item)} `;
    layers.push({ item, commit: below, tree: below, noop: false, resolved: [] });
  }
  return Promise.resolve({ layers, conflicts: [] });
}

function membersOf(tree: string): readonly number[] {
  return tree
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function itemOf(index: number): QueueItem {
  const candidate = {
    commit: `c${index}`,
    tree: `t${index}`,
    base: '',
    ref: `r${index}`,
    fence: index,
    noop: false,
    files: [],
    fileCount: 1,
  };
  return { task: parseTaskId(`task-${index}`), attempt: 1, candidate, message: '' };
}

function numberOf({ candidate }: QueueItem): number {
  return candidate.fence;
}

interface Trouble {
  readonly isRed: (members: readonly number[]) => boolean;
  /** Whether this one turns a tree of `members` red. */
  readonly isGuilty: (one: number, members: readonly number[]) => boolean;
  readonly of: (item: QueueItem) => ReadonlySet<string>;
}

function drawTrouble(world: QueueWorld, random: () => number): Trouble {
  const { candidates, projects } = world;
  const all = Array.from({ length: candidates }, (_, index) => index);
  const project = all.map(() => Math.floor(random() * Math.max(1, projects)));
  const bad = new Set(all.filter(() => random() < world.bad));
  const clashes = new Set<string>();
  for (const one of all) {
    for (const other of all.slice(one + 1)) {
      if (project[one] === project[other] && random() < world.clash) clashes.add(`${one} ${other}`);
    }
  }
  const halves = new Set(all.filter(() => random() < (world.halves ?? 0)));
  const isGuilty = (one: number, members: readonly number[]): boolean =>
    bad.has(one) ||
    (halves.has(one) && !members.includes(one + 1)) ||
    members.some((other) => clashes.has(`${Math.min(one, other)} ${Math.max(one, other)}`));
  return {
    isGuilty,
    isRed: (members) => members.some((one) => isGuilty(one, members)),
    of: (item) => new Set([`project-${project[numberOf(item)] ?? 0}`]),
  };
}

/** Mulberry32: the same numbers between 0 and 1 for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

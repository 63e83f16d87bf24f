import type { Cost } from '../model/cost';
import { isCostKnown, NO_COST, sumOfCosts } from '../model/cost';
import type { EventOf, RunEvent } from '../model/event';
import type { TaskId } from '../model/ids';
import { UserError } from '../model/user-error';
import type { RunPaths } from '../store/run-dir';
import type { Toolbox } from './toolbox';

/** More than any agent has to say. */
const MOST_BYTES = 1024 * 1024;

/**
 * Called by an agent: adds to what its attempt has cost. Rejects with `UserError` for anybody else, and
 * when an amount is no amount.
 */
export async function declareCost(
  { fs, env }: Pick<Toolbox, 'fs' | 'env'>,
  cost: Cost,
): Promise<void> {
  const file = env['PARALLEL_COST_FILE'];
  if (file === undefined) {
    throw new UserError(
      'usage',
      'What work has cost is told by agents: PARALLEL_COST_FILE is not set.',
      null,
    );
  }
  const { usd, tokens } = cost;
  if ((usd !== null && !isDollars(usd)) || (tokens !== null && !isCount(tokens))) {
    throw new UserError(
      'usage',
      'That is no cost.',
      'Give dollars and whole tokens, not below 0: parallel-cli progress --usd 0.42 --tokens 12000',
    );
  }
  const known = Object.entries({ usd, tokens }).filter(([, amount]) => amount !== null);
  const log = await fs.openAppend(file);
  try {
    log.append(Buffer.from(`${JSON.stringify(Object.fromEntries(known))}\n`));
  } finally {
    await log.close();
  }
}

/**
 * What an agent has said its attempt cost: the sum of the lines of its file, `{"usd": 0.42, "tokens": 12000}`
 * each, with one key or both. Lines that are none count for nothing; a link or anything large is not read.
 * `null` when it said nothing.
 */
export async function readCost(
  { fs, files }: Pick<Toolbox, 'fs' | 'files'>,
  file: string,
): Promise<Cost | null> {
  if ((await files.kind(file)) !== 'file') return null;
  if (((await fs.size(file)) ?? 0) > MOST_BYTES) return null;
  const lines = ((await fs.readText(file)) ?? '').split('\n');
  const cost = sumOfCosts(lines.map(costOfLine));
  return isCostKnown(cost) ? cost : null;
}

/** What the tasks of attempts that a killed process did not report have cost. */
export interface UntoldCosts {
  readonly facts: readonly EventOf<'task:cost'>[];
  /** By task, with all attempts before; tasks of unknown cost are not in it. */
  readonly totals: ReadonlyMap<TaskId, Cost>;
}

/** Reads what the agents of these attempts said and `events`, the whole journal, does not tell. */
export async function untoldCosts(
  { fs, files, clock }: Pick<Toolbox, 'fs' | 'files' | 'clock'>,
  { task: filesOf }: Pick<RunPaths, 'task'>,
  events: readonly RunEvent[],
  attempts: readonly { readonly task: TaskId; readonly attempt: number }[],
): Promise<UntoldCosts> {
  const facts: EventOf<'task:cost'>[] = [];
  const totals = new Map<TaskId, Cost>();
  const told = events.filter((event) => event.type === 'task:cost');
  for (const { task, attempt } of attempts) {
    const before = told.filter((event) => event.task === task);
    const isTold = before.some((event) => event.attempt === attempt);
    const cost = isTold
      ? null
      : await readCost({ fs, files }, filesOf(task).attempt(attempt).costFile);
    if (cost !== null) facts.push({ type: 'task:cost', task, attempt, cost, at: clock.now() });
    const total = sumOfCosts([...before.map((event) => event.cost), cost ?? NO_COST]);
    if (isCostKnown(total)) totals.set(task, total);
  }
  return { facts, totals };
}

function costOfLine(line: string): Cost {
  const { usd, tokens } = entriesOf(line);
  return {
    usd: typeof usd === 'number' && isDollars(usd) ? usd : null,
    tokens: typeof tokens === 'number' && isCount(tokens) ? tokens : null,
  };
}

function entriesOf(line: string): Partial<Record<keyof Cost, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isDollars(amount: number): boolean {
  return Number.isFinite(amount) && amount >= 0;
}

function isCount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0;
}

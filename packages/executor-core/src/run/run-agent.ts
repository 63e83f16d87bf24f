import type { Failure } from '../model/failure';
import type { AgentInvocation, AgentOutcome, AgentSession } from '../ports/agent';
import type { Clock } from '../ports/clock';
import type { AttemptContext } from './attempt-context';
import { confinementOf } from './confine';
import { failureOf, readTail } from './outcome';
import { pausableTimer } from './pausable-timer';
import { stopGently } from './shutdown';
import type { StopOrder } from './stop-order';

/** By these somebody ends a whole tree of processes, this one included. */
const ENDING_SIGNALS: ReadonlySet<string> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);
const ENDING_CODES: ReadonlySet<number> = new Set([129, 130, 143]);
/** Who ends a tree begins with its leaves: how long it may take until we are told to end as well. */
const NEWS_MS = 1000;

/**
 * Starts an agent, in its sandbox where it has one, and waits for its end, within the task's time;
 * `null` when it is done.
 */
export async function runAgent(
  context: AttemptContext,
  invocation: AgentInvocation,
  order: StopOrder,
): Promise<Failure | null> {
  if ((await context.heldBy(invocation.profile)) === 'audit')
    return superviseAgent(context, invocation, order);
  const { confinement, scratch } = await confinementOf(context, invocation);
  const confine = (argv: readonly string[]): readonly string[] =>
    context.sandbox.wrap(argv, confinement);
  try {
    return await superviseAgent(context, { ...invocation, confine }, order);
  } finally {
    await context.fs.removeTree(scratch);
  }
}

async function superviseAgent(
  context: AttemptContext,
  invocation: AgentInvocation,
  order: StopOrder,
): Promise<Failure | null> {
  if (order.how !== null) return { kind: 'interrupted', message: 'stopped before it started' };
  const { clock } = context;
  const { task, attempt, profile } = invocation;
  const session = await context.adapterOf(profile).start(invocation);
  if (session.process !== null) {
    const { process } = session;
    void context.emit({
      type: 'process:started',
      task: task.id,
      attempt,
      process,
      at: clock.now(),
    });
  }
  const { outcome, timedOut } = await supervise(context, session, task.timeoutMs, order);
  if (!timedOut && outcome.kind === 'done') return null;
  if (!timedOut && endedFromOutside(outcome)) await hearOf(clock, order);
  const tail = await readTail(context.fs, invocation.transcriptPath);
  if (timedOut) return { kind: 'timeout', afterMs: task.timeoutMs, tail };
  return failureOf(outcome, tail);
}

/** Passes orders on and ends the session when its time is up; the clock stands still while it is suspended. */
async function supervise(
  { clock, graceMs }: AttemptContext,
  session: AgentSession,
  timeoutMs: number,
  order: StopOrder,
): Promise<{ readonly outcome: AgentOutcome; readonly timedOut: boolean }> {
  const stopper = stopGently(clock, session, graceMs);
  const seen = { timedOut: false, suspended: false, how: null as StopOrder['how'] };
  const timer = pausableTimer(clock, timeoutMs, () => {
    seen.timedOut = true;
    stopper.stop('interrupt');
  });
  const unlisten = order.listen(() => {
    if (order.how !== null && order.how !== seen.how) stopper.stop(order.how);
    else if (order.suspended && !seen.suspended) {
      session.suspend();
      timer.pause();
    } else if (!order.suspended && seen.suspended) {
      session.resume();
      timer.resume();
    }
    Object.assign(seen, { how: order.how, suspended: order.suspended });
  });
  const outcome = await session.ended;
  unlisten();
  timer.cancel();
  stopper.done();
  return { outcome, timedOut: seen.timedOut };
}

function endedFromOutside(outcome: AgentOutcome): boolean {
  if (outcome.kind === 'signal') return ENDING_SIGNALS.has(outcome.signal);
  return outcome.kind === 'exit' && ENDING_CODES.has(outcome.code);
}

/** Waits for an order to end, which would make the agent's end no fault of its own. */
function hearOf(clock: Clock, order: StopOrder): Promise<void> {
  return new Promise((resolve) => {
    let cancel = (): void => undefined;
    let unlisten = (): void => undefined;
    const done = (): void => {
      cancel();
      unlisten();
      resolve();
    };
    cancel = clock.after(NEWS_MS, done);
    unlisten = order.listen(() => {
      if (order.how !== null) done();
    });
    if (order.how !== null) unlisten();
  });
}

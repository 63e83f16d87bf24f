import type { EventOf } from '../model/event';
import { describeFailure } from '../model/failure';
import type { AgentInvocation } from '../ports/agent';
import type { AttemptContext } from './attempt-context';
import { readTail } from './outcome';
import { runAgent } from './run-agent';
import type { StopOrder } from './stop-order';

/** Of a helper's output this much, from the end, is handed on. */
const NOTE_CHARS = 1000;

/** What an agent that helps an attempt made of it, and its words. */
export type HelperSaid = Pick<EventOf<'task:healed'>, 'outcome' | 'note'>;

/**
 * Runs a healer or a resolver to its end. `diagnosed`: it ended well; whether it changed anything is seen
 * in the worktree. Never rejects: what could not even be started has failed.
 */
export async function runHelper(
  context: AttemptContext,
  prepare: () => Promise<AgentInvocation>,
  order: StopOrder,
): Promise<HelperSaid> {
  try {
    const invocation = await prepare();
    const ended = await runAgent(context, invocation, order);
    const said = (await readTail(context.fs, invocation.transcriptPath)).trim().slice(-NOTE_CHARS);
    return ended === null
      ? { outcome: 'diagnosed', note: said }
      : failedHelper(said, describeFailure(ended));
  } catch (error) {
    return failedHelper('', error instanceof Error ? error.message : String(error));
  }
}

/** It failed: its words, and why. */
export function failedHelper(note: string, reason: string): HelperSaid {
  return { outcome: 'failed', note: `${note}\n${reason}`.trim() };
}

import type { EventOf } from '../model/event';
import type { TaskId } from '../model/ids';
import { occupied } from './admission';
import { reopen } from './reopen';
import type { Turn } from './turn';

/** Does what a person, or another process, asks of the run. A request that makes no sense does nothing. */
export function applyControl(turn: Turn, event: EventOf<'control:requested'>): void {
  const { request, by } = event;
  switch (request.kind) {
    case 'pause':
      pause(turn, request.suspend === true, by);
      return;
    case 'resume':
      if (turn.state.mode === 'paused') turn.enterMode('running', `resumed by ${by}`);
      return;
    case 'kill':
      turn.cancel(turn.targets(request.target), by, 'kill');
      return;
    case 'agents':
      resize(turn, request.maxAgents, by);
      return;
    case 'retry':
      // A finished run takes it up when it is resumed.
      if (turn.state.outcome === null) reopen(turn, request.target, by);
      return;
    case 'stop':
      stop(turn, request.how, by);
      return;
  }
}

/** A pause can be made a suspension; only `resume` undoes either. */
function pause(turn: Turn, suspend: boolean, by: string): void {
  const { mode, suspended } = turn.state;
  if (mode !== 'running' && (mode !== 'paused' || !suspend || suspended)) return;
  turn.enterMode('paused', `${suspend ? 'suspended' : 'paused'} by ${by}`, suspend);
}

function stop(turn: Turn, how: 'drain' | 'stop' | 'kill', by: string): void {
  if (how === 'drain') {
    if (turn.state.mode !== 'stopping') turn.enterMode('draining', `drained by ${by}`);
    return;
  }
  turn.enterMode('stopping', `stopped by ${by}`);
  turn.stopAgents(how === 'kill' ? 'kill' : 'interrupt');
  turn.command({ type: 'halt' });
}

/** Fewer agents: who asks for a slot and cannot have one any more stops asking, the last first. */
function resize(turn: Turn, maxAgents: number, by: string): void {
  if (!Number.isSafeInteger(maxAgents) || maxAgents < 1) return;
  if (maxAgents === turn.state.maxAgents) return;
  turn.record({ type: 'run:resized', maxAgents, by });
  const { indexOf, rank } = turn.state.problem;
  const rankOf = (id: TaskId): number => rank[indexOf.get(id) ?? -1] ?? 0;
  const asking = [...turn.tasksIn('leasing')].sort((a, b) => rankOf(b) - rankOf(a));
  for (const task of asking) {
    if (occupied(turn.state) <= maxAgents) return;
    turn.withdraw(task);
  }
}

import type { ControlRequest } from '../../model/control-request';
import type { Random } from './random';
import type { World } from './world';

/** What a person might ask of a run. */
export function randomRequest(world: World, random: Random): ControlRequest {
  const target = random.pick(world.plan.tasks).id;
  const luck = random.below(100);
  if (luck < 14) return { kind: 'pause' };
  if (luck < 28) return { kind: 'pause', suspend: true };
  if (luck < 36) return { kind: 'resume' };
  if (luck < 46) return { kind: 'kill', target };
  if (luck < 52) return { kind: 'kill', target: `agent-${1 + random.below(8)}` };
  if (luck < 54) return { kind: 'kill', target: 'all' };
  if (luck < 74) return { kind: 'agents', maxAgents: random.below(10) };
  if (luck < 88) return { kind: 'retry', target: random.chance(40) ? 'all' : target };
  return { kind: 'stop', how: random.pick(['drain', 'stop', 'kill'] as const) };
}

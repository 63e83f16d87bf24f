import type { Failure } from '../../model/failure';
import { must } from './core';
import type { Random } from './random';
import type { World } from './world';

/**
 * The merge queue takes one candidate: it lands, fails its checks or conflicts, or is refused because
 * its lease is gone. The report comes a step later, and the lander waits until it is known.
 */
export function performLanding(world: World, random: Random): void {
  const { report } = world.lander;
  if (report !== null) {
    world.lander.report = null;
    if (random.chance(15)) world.zombies.push(report);
    world.deliver(report);
    return;
  }
  const waiting = world.plan.tasks.flatMap((task) => {
    const now = world.state.tasks.get(task.index);
    return now.name === 'queued' || now.name === 'merging' ? [{ task, now }] : [];
  });
  world.lander.wanted = waiting.length > 1;
  if (waiting.length === 0) return;
  const { task, now } = random.pick(waiting);
  const { id, index } = task;
  const { attempt, candidate } = now;
  world.deliver({ type: 'task:merging', task: id, onto: 'tip', batch: 1 });
  const failure: Failure | null = world.leases.has(candidate.fence)
    ? rejection(random)
    : { kind: 'lost-lease', token: candidate.fence };
  if (failure !== null) {
    world.lander.report = { type: 'attempt:failed', task: id, attempt, failure, salvage: 'ref' };
    return;
  }
  must(!world.landed.has(index), () => `${id} lands twice`);
  world.landed.add(index);
  world.lander.report = { type: 'task:landed', task: id, commit: 'c', tree: 't' };
}

function rejection(random: Random): Failure | null {
  const luck = random.below(100);
  if (luck < 6) return { kind: 'conflict', paths: ['x'], onto: 'tip' };
  if (luck < 12)
    return { kind: 'verify-failed', where: 'merged', command: 'test', code: 1, tail: '' };
  return luck < 14 ? { kind: 'interrupted', message: 'landing failed' } : null;
}

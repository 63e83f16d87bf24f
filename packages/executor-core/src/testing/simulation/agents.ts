import type { Random } from './random';
import type { Report } from '../scheduler-bench';
import type { Agent } from './reports';
import { giveUp, handIn } from './reports';
import type { World } from './world';

/** Whether the agent does anything now: one that is stopped where it is hears only a kill. */
export function canStep(world: World, agent: Agent): boolean {
  if (agent.suspended) return agent.stop === 'kill';
  if (agent.stop !== null || agent.barrier === null) return true;
  return mayLeave(world, agent.barrier);
}

function mayLeave({ plan, state }: World, barrier: string): boolean {
  const phase = plan.phases.indexOf(barrier);
  return phase < state.openPhase || state.broken.includes(phase);
}

/** Lets the agent go one step further. Some tasks (one in nine) never succeed. */
export function step(world: World, agent: Agent, random: Random): void {
  agent.steps += 1;
  if (agent.stop !== null) {
    end(world, agent, giveUp(agent, { kind: 'interrupted', message: 'stopped' }));
  } else if (agent.barrier !== null) {
    world.inbox.push({ type: 'barrier:left', barrier: agent.barrier, waiter: agent.task });
    agent.barrier = null;
  } else if (
    agent.steps === 1 &&
    !agent.hasLeft &&
    world.plan.phases.length > 0 &&
    random.chance(10)
  ) {
    agent.barrier = random.pick(world.plan.phases);
    world.inbox.push({ type: 'barrier:waiting', barrier: agent.barrier, waiter: agent.task });
  } else if (!agent.hasLeft && random.chance(8)) {
    widen(world, agent, random);
  } else if (!agent.verifying && random.chance(50)) {
    verify(world, agent, random.chance(50));
  } else if (agent.verifying && !agent.hasLeft && random.chance(20)) {
    verify(world, agent, true);
  } else {
    end(world, agent, result(world, agent, random));
  }
}

function verify(world: World, agent: Agent, leavesSlot: boolean): void {
  const { task, attempt } = agent;
  agent.verifying = true;
  agent.hasLeft = leavesSlot;
  const leaves = leavesSlot ? { leavesSlot } : {};
  world.inbox.push({ type: 'task:verifying', task, attempt, ...leaves });
}

function result(world: World, agent: Agent, random: Random): Report {
  const { token } = agent;
  const doomed = agent.index % 9 === 4;
  const luck = random.below(100);
  if (doomed || luck < 12) return giveUp(agent, { kind: 'agent-exit', code: 1, tail: '' });
  if (luck < 16) return giveUp(agent, { kind: 'try-later', tail: '' });
  if (luck < 20) {
    // Its lease passes on while it works: it learns of it, and may report once more all the same.
    world.leases.release(token);
    world.zombies.push(handIn(agent));
    return giveUp(agent, { kind: 'lost-lease', token });
  }
  return handIn(agent);
}

function end(world: World, agent: Agent, report: Report): void {
  world.agents = world.agents.filter((other) => other !== agent);
  world.inbox.push(report);
}

/** More room is granted only where it is in nobody's way, holder or asker. */
function widen(world: World, agent: Agent, random: Random): void {
  const writes = [random.chance(50) ? `x${random.below(4)}/a` : `d${random.below(5)}/t0.ts`];
  const before = world.state.extraWrites;
  const extra = new Map(before).set(agent.index, [...(before.get(agent.index) ?? []), ...writes]);
  const holders = [
    ...world.leases.holders(),
    ...world.plan.tasks.map(({ index }) => index).filter((index) => world.state.holding.has(index)),
  ];
  const free = holders.every(
    (other) => other === agent.index || !world.rules.exclude(other, agent.index, extra),
  );
  // The lock table knows at once, so the report is not late.
  if (free) world.deliver({ type: 'task:widened', task: agent.task, writes });
}

import type { ConflictEdge, Plan, Task } from '@parallel-executor/core';

/**
 * How many rounds of equally long tasks a plan needs on `agents` agents, when `exclusions` may not
 * share a round: list scheduling in the order given by `rank` (smaller first), round by round.
 * Milestones take no time. The plan is acyclic, so every round settles at least one task.
 */
export function countRounds(
  plan: Plan,
  exclusions: readonly ConflictEdge[],
  agents: number,
  rank: (task: Task) => number,
): number {
  const enemies = new Map<string, Set<string>>();
  for (const { a, b } of exclusions) {
    setApart(enemies, a, b);
    setApart(enemies, b, a);
  }
  const done = new Set<string>();
  const phaseOf = (task: Task): number =>
    task.phase === null ? -1 : plan.phases.indexOf(task.phase);
  const isReady = (task: Task): boolean =>
    task.dependsOn.every((id) => done.has(id)) &&
    !left.some((other) => phaseOf(other) >= 0 && phaseOf(other) < phaseOf(task));
  let left = [...plan.tasks].sort((x, y) => rank(x) - rank(y) || x.index - y.index);
  let rounds = 0;
  while (left.length > 0) {
    const ready = left.filter(isReady);
    const milestones = ready.filter((task) => task.profile === null);
    const settled = milestones.length > 0 ? milestones : pickRound(ready, enemies, agents);
    if (settled.length === 0) return rounds;
    if (milestones.length === 0) rounds += 1;
    for (const task of settled) done.add(task.id);
    left = left.filter((task) => !done.has(task.id));
  }
  return rounds;
}

function pickRound(
  ready: readonly Task[],
  enemies: ReadonlyMap<string, ReadonlySet<string>>,
  agents: number,
): readonly Task[] {
  const picked: Task[] = [];
  for (const task of ready) {
    if (picked.length >= agents) break;
    if (!picked.some((other) => enemies.get(task.id)?.has(other.id) === true)) picked.push(task);
  }
  return picked;
}

function setApart(enemies: Map<string, Set<string>>, a: string, b: string): void {
  const known = enemies.get(a);
  if (known === undefined) enemies.set(a, new Set([b]));
  else known.add(b);
}

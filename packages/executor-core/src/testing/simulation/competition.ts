import { isHolding, isInSlot } from '../../model/task-state';
import type { RunState } from '../../schedule/run-state';
import { must } from './core';
import type { Rules } from './rules';

/** What must hold between tasks that hold something and tasks that want it. */
export class Competition {
  constructor(private readonly rules: Rules) {}

  /** No two holders exclude each other, counted resources are enough, limits are kept. */
  checkHolders(before: RunState, after: RunState): void {
    if (after.holding === before.holding && after.extraWrites === before.extraWrites) return;
    const held = this.holders(after);
    for (const a of held) {
      for (const b of held) {
        if (a >= b) continue;
        const excluded = this.rules.exclude(a, b, after.extraWrites);
        must(!excluded, () => this.say(a, `is held together with ${this.rules.task(b).id}`));
      }
    }
    const takers = held.filter((index) => this.rules.unitsOf(index) > 0);
    const units = takers.reduce((sum, index) => sum + this.rules.unitsOf(index), 0);
    must(takers.length <= 1 || units <= 4, () => `${units} of 4 units are taken`);
    for (const [key, { used, limit }] of this.limitsIn(after)) {
      must(used <= limit, () => `${used} at work where ${key} allows ${limit}`);
    }
  }

  /**
   * Nobody is left out who could start, and nobody is overtaken by whom he waits for. `asked`: tasks
   * that began to ask for their leases in this turn.
   */
  checkNobodyForgotten(after: RunState, asked: readonly number[]): void {
    if (after.ready.size === 0) return;
    const ready = after.problem.order.filter((_, rank) => after.ready.has(rank));
    const milestone = ready.find((index) => this.rules.task(index).profile === null);
    must(milestone === undefined, () => this.say(milestone ?? 0, 'is a milestone and waits'));
    const rankOf = (index: number): number => after.problem.rank[index] ?? 0;
    const held = this.holders(after);
    const limits = this.limitsIn(after);
    const full = this.roomTaken(after) >= after.maxAgents;
    const late = full ? Math.max(-1, ...asked.map((one) => this.rules.classes[one] ?? 0)) : 3;
    const round = this.roundOf(after, ready, held);
    const claims: number[] = [];
    for (const index of ready) {
      if (after.spent.get(index) > round) continue;
      const behind = asked.filter((one) => rankOf(one) > rankOf(index));
      const ahead = [...held.filter((one) => !behind.includes(one)), ...claims];
      if (this.isShut(after, index, ahead)) {
        claims.push(index);
        const thief = behind.find((one) => this.rules.exclude(index, one, after.extraWrites));
        must(thief === undefined, () =>
          this.say(thief ?? 0, `overtook ${this.rules.task(index).id}`),
        );
        continue;
      }
      const isLimited = (this.rules.limits[index] ?? []).some(
        ([key, limit]) => (limits.get(key)?.used ?? 0) >= limit,
      );
      const inVain = !isLimited && (this.rules.classes[index] ?? 0) < late;
      must(!inVain, () => this.say(index, full ? 'was overtaken' : 'could start and does not'));
    }
  }

  private isShut(after: RunState, index: number, others: readonly number[]): boolean {
    return (
      others.some((other) => this.rules.exclude(index, other, after.extraWrites)) ||
      this.isShort(index, others)
    );
  }

  private isShort(index: number, others: readonly number[]): boolean {
    const units = this.rules.unitsOf(index);
    const taken = others.reduce((sum, other) => sum + this.rules.unitsOf(other), 0);
    return units > 0 && taken > 0 && taken + units > 4;
  }

  /** How many retries the tasks that may start now have spent at most. */
  private roundOf(after: RunState, ready: readonly number[], held: readonly number[]): number {
    if (this.rules.plan.settings.failureStrategy !== 'retry_failed') return Infinity;
    const going = held.filter((other) => !after.waiting.has(other));
    return Math.min(...[...ready, ...going].map((other) => after.spent.get(other)));
  }

  /** Slots in use or spoken for. */
  roomTaken(after: RunState): number {
    return this.holders(after).filter((index) => {
      const now = after.tasks.get(index);
      return isInSlot(now) || (now.name === 'leasing' && !after.waiting.has(index));
    }).length;
  }

  private limitsIn(after: RunState): Map<string, { used: number; limit: number }> {
    const found = new Map<string, { used: number; limit: number }>();
    for (const index of this.holders(after)) {
      const now = after.tasks.get(index);
      if (now.name !== 'leasing' && !isInSlot(now)) continue;
      for (const [key, limit] of this.rules.limits[index] ?? []) {
        found.set(key, { used: (found.get(key)?.used ?? 0) + 1, limit });
      }
    }
    return found;
  }

  /** Tasks other than milestones that hold, or ask for, their leases. */
  private holders(after: RunState): number[] {
    const held: number[] = [];
    for (const { index, profile } of this.rules.plan.tasks) {
      if (profile !== null && isHolding(after.tasks.get(index))) held.push(index);
    }
    return held;
  }

  private say(index: number, what: string): string {
    return `${this.rules.task(index).id}: ${what}`;
  }
}

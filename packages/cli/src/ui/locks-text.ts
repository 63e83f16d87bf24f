import type { HeldLock, LocksView, WaitingForLocks } from '@parallel-executor/core';
import { countText, durationText } from '@parallel-executor/core';
import { plainText } from './text-width';

/** What the lock table says to people, at `now` (epoch ms). */
export function locksText({ held, waiting }: LocksView, now: number): readonly string[] {
  if (held.length + waiting.length === 0) {
    return ['Nobody holds a lock here, and nobody waits for one.'];
  }
  return [
    `${countText(held.length, 'lease')} held, ${waiting.length} waiting`,
    ...held.flatMap((lock) => ['', holderLine(lock, now), ...accessLines(lock)]),
    ...waiting.flatMap((wait) => ['', waiterLine(wait, now), ...accessLines(wait)]),
  ];
}

function holderLine(lock: HeldLock, now: number): string {
  const name = lock.agent === null ? lock.task : `${lock.task} (${lock.agent})`;
  const age = durationText(Math.max(0, now - lock.since));
  const gone = lock.alive ? '' : '; the process is gone, so it passes on to whoever asks';
  const { pid, host } = lock.owner;
  return plainText(
    `${name} holds since ${age}: token ${lock.token}, ${lock.run}, process ${pid} on ${host}${gone}`,
  );
}

function waiterLine(wait: WaitingForLocks, now: number): string {
  const age = durationText(Math.max(0, now - wait.since));
  const whom = wait.waitingFor.length === 0 ? 'its turn' : wait.waitingFor.join(', ');
  const gone = wait.alive ? '' : '; the process is gone';
  return plainText(`${wait.task} waits since ${age} for ${whom}: ${wait.run}${gone}`);
}

function accessLines(one: HeldLock | WaitingForLocks): readonly string[] {
  const resources = one.resources.map(({ id, exclusive, amount, capacity = null }) =>
    exclusive ? id : `${id} (${capacity === null ? 'shared' : `${amount ?? 1} of ${capacity}`})`,
  );
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ['writes', one.writes],
    ['reads', one.reads],
    ['uses', resources],
  ];
  return lines.flatMap(([what, items]) =>
    items.length === 0 ? [] : [`  ${what.padEnd(6)} ${plainText(items.join(', '))}`],
  );
}

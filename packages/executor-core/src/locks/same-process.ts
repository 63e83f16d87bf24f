import type { ProcessIdentity } from '../model/process';

/** `true` when both name the same process of the same boot. */
export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return (
    a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId && a.host === b.host
  );
}

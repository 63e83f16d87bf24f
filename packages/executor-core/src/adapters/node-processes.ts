import { hostname } from 'node:os';
import type { ProcessIdentity } from '../model/process';
import type { Processes } from '../ports/processes';
import { isZombie, linkOrNull, procRow, readOrNull, runOrNull } from './node-process-table';

/** What the system says about a pid. `hidden`: there is such a process, but we may not look at it. */
type Probe =
  | { readonly kind: 'gone' }
  | { readonly kind: 'hidden' }
  | { readonly kind: 'found'; readonly startTime: string; readonly zombie: boolean };

/** Link target of `/proc/self/ns/pid` outside every container (PROC_PID_INIT_INO of the kernel). */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';
const UNKNOWN = 'unknown';

/**
 * Processes of this machine. Linux: start time in clock ticks from `/proc/<pid>/stat`; elsewhere the
 * start second from `ps`. A zombie counts as dead. Inside a pid namespace `host` also names the
 * namespace, since its pids prove nothing outside.
 */
export function nodeProcesses(): Processes {
  const host = hostName();
  const bootId = readBootId();
  const identify = (pid: number): ProcessIdentity | null => {
    const found = probe(pid);
    if (found.kind !== 'found' || found.zombie) return null;
    return { pid, startTime: found.startTime, bootId, host };
  };
  const self = identify(process.pid) ?? { pid: process.pid, startTime: UNKNOWN, bootId, host };

  return {
    self: () => self,
    identify,
    isAlive(identity) {
      if (identity.host !== host) return true;
      if (identity.bootId !== bootId) return false;
      const found = probe(identity.pid);
      if (found.kind !== 'found') return found.kind === 'hidden';
      return !found.zombie && found.startTime === identity.startTime;
    },
  };
}

function probe(pid: number): Probe {
  if (!Number.isSafeInteger(pid) || pid < 1) return { kind: 'gone' };
  const found = process.platform === 'linux' ? probeProc(pid) : probePs(pid);
  return found ?? (mayExist(pid) ? { kind: 'hidden' } : { kind: 'gone' });
}

function probeProc(pid: number): Probe | null {
  const row = procRow(pid);
  return row === null ? null : { kind: 'found', startTime: row.startTime, zombie: row.zombie };
}

function probePs(pid: number): Probe | null {
  const line = runOrNull('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
  const [, state = '', startTime = ''] = /^(\S+)\s+(\S.*)$/.exec(line ?? '') ?? [];
  if (startTime === '') return null;
  return { kind: 'found', startTime: startTime.replace(/\s+/g, ' '), zombie: isZombie(state) };
}

/** `/proc` may hide the processes of other users; kill(2) with signal 0 still tells that they exist. */
function mayExist(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(isObject(error) && 'code' in error && error.code === 'ESRCH');
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function hostName(): string {
  if (process.platform !== 'linux') return hostname();
  const namespace = linkOrNull('/proc/self/ns/pid');
  if (namespace === null || namespace === INITIAL_PID_NAMESPACE) return hostname();
  return `${hostname()}#${namespace.replace(/\D/g, '')}`;
}

function readBootId(): string {
  const text =
    process.platform === 'linux'
      ? readOrNull('/proc/sys/kernel/random/boot_id')
      : runOrNull('sysctl', ['-n', 'kern.bootsessionuuid']);
  return text?.trim() ?? UNKNOWN;
}

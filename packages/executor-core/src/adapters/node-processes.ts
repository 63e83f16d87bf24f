import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../model/process';
import type { Processes } from '../ports/processes';

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
    signalGroup(identity, signal) {
      if (identity.host !== host || identity.bootId !== bootId) return false;
      // A zombie still names its group, whose other members may well be running.
      const found = probe(identity.pid);
      if (found.kind !== 'found' || found.startTime !== identity.startTime) return false;
      return killGroup(identity.pid, signal);
    },
  };
}

/**
 * Sends `signal` (0: none, only look) to every member of process group `pgid`; `false` when there is
 * no such group, or no such group could be (`pgid` below 2).
 */
export function killGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  // kill(2) reads -1 as "everything I may signal" and 0 as "my own group".
  if (!Number.isSafeInteger(pgid) || pgid <= 1) return false;
  try {
    return process.kill(-pgid, signal);
  } catch {
    return false;
  }
}

/** `true` while group `pgid` has a member that can still do something: zombies do not count. */
export function isGroupAlive(pgid: number): boolean {
  if (!killGroup(pgid, 0)) return false;
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [state = '', , group] = statFields(Number(name)) ?? [];
    return group === String(pgid) && !isZombie(state);
  });
}

function probe(pid: number): Probe {
  if (!Number.isSafeInteger(pid) || pid < 1) return { kind: 'gone' };
  const found = process.platform === 'linux' ? probeProc(pid) : probePs(pid);
  return found ?? (mayExist(pid) ? { kind: 'hidden' } : { kind: 'gone' });
}

function probeProc(pid: number): Probe | null {
  const fields = statFields(pid);
  const [state = '', startTime = ''] = [fields?.[0], fields?.[22 - 3]];
  if (startTime === '') return null;
  return { kind: 'found', startTime, zombie: isZombie(state) };
}

/**
 * `/proc/<pid>/stat` from its third field on: state, parent, group … (proc(5)). The command name in
 * the second may hold spaces and parentheses, so fields count from the last `)`.
 */
function statFields(pid: number): readonly string[] | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function probePs(pid: number): Probe | null {
  const line = runOrNull('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
  const [, state = '', startTime = ''] = /^(\S+)\s+(\S.*)$/.exec(line ?? '') ?? [];
  if (startTime === '') return null;
  return { kind: 'found', startTime: startTime.replace(/\s+/g, ' '), zombie: isZombie(state) };
}

function isZombie(state: string): boolean {
  return state.startsWith('Z') || state.startsWith('X');
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

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function linkOrNull(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function runOrNull(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessMark } from '../model/process';
import { markOf } from '../model/process';
import { brandIn } from './process-brand';

/** One line of the process table. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** `false`: it has no controlling terminal, or the system does not say. */
  readonly hasTerminal: boolean;
  /** As in `ProcessIdentity`; empty where the table does not tell. */
  readonly startTime: string;
  readonly name: string;
  readonly zombie: boolean;
}

/** What can be asked about one process beyond its row; `null` where the system does not tell. */
export interface ProcessDetails {
  markOf(row: ProcessRow): ProcessMark | null;
  brandOf(row: ProcessRow): string | null;
  folderOf(row: ProcessRow): string | null;
  /** Files behind standard output and standard error. */
  outputsOf(row: ProcessRow): readonly string[];
}

export interface ProcessTable extends ProcessDetails {
  /** Every process. `recent`: a row may be as old as `RECENT_MS`; that makes it cheap to ask often. */
  rows(how: 'now' | 'recent'): readonly ProcessRow[];
  /** One process as it is now, or `null`. */
  row(pid: number): ProcessRow | null;
}

/**
 * A row read a moment ago is still its process's: a pid comes round again only after all others were
 * given away (32,768 at the least).
 */
const RECENT_MS = 5000;
/**
 * So long a process must have been seen without a mark or brand before it counts as one without: it may
 * just be on its way from the fork to the program that has it.
 */
const SETTLED_MS = 1000;
/** Kernel threads are children of this one, and nobody's business. */
const KTHREADD = 2;

/**
 * The table of Linux. Reading one `stat` costs some 50 µs, so rows are kept for `RECENT_MS`, and marks
 * and brands for as long as their process lives.
 */
export function procTable(now: () => number = () => performance.now()): ProcessTable {
  let known = new Map<number, { readonly row: ProcessRow; readonly at: number }>();
  const marks = new Memory(procMark, now);
  const brands = new Memory(procBrand, now);
  return {
    rows(how) {
      const at = now();
      const next: typeof known = new Map();
      for (const name of readdirSync('/proc')) {
        const pid = Number(name);
        if (!Number.isInteger(pid)) continue;
        const before = how === 'recent' ? known.get(pid) : undefined;
        const row = before !== undefined && at - before.at < RECENT_MS ? null : procRow(pid);
        if (row !== null) next.set(pid, { row, at });
        else if (before !== undefined && at - before.at < RECENT_MS) next.set(pid, before);
      }
      known = next;
      const rows = [...next.values()].map(({ row }) => row);
      const living = new Set(rows.map(keyOf));
      marks.keep(living);
      brands.keep(living);
      return rows.filter(({ pid, parent }) => pid !== KTHREADD && parent !== KTHREADD);
    },
    row: procRow,
    markOf: (row) => marks.of(row),
    brandOf: (row) => brands.of(row),
    folderOf: ({ pid }) => linkOrNull(`/proc/${pid}/cwd`),
    outputsOf: ({ pid }) => [1, 2].flatMap((fd) => linkOrNull(`/proc/${pid}/fd/${fd}`) ?? []),
  };
}

/**
 * What is read about processes: whoever carried a mark once belongs to its tree, also after it put on
 * another environment. That a process has none is kept as well, once it had time to put one on.
 */
class Memory<T> {
  private found = new Map<string, T>();
  private without = new Map<string, number>();

  constructor(
    private readonly read: (pid: number) => T | null,
    private readonly now: () => number,
  ) {}

  of(row: ProcessRow): T | null {
    const key = keyOf(row);
    const seen = this.found.get(key);
    if (seen !== undefined) return seen;
    const since = this.without.get(key);
    if (since !== undefined && this.now() - since >= SETTLED_MS) return null;
    const value = this.read(row.pid);
    if (value !== null) this.found.set(key, value);
    else if (since === undefined) this.without.set(key, this.now());
    return value;
  }

  /** Forgets all but these. */
  keep(living: ReadonlySet<string>): void {
    this.found = new Map([...this.found].filter(([key]) => living.has(key)));
    this.without = new Map([...this.without].filter(([key]) => living.has(key)));
  }
}

/** The table of systems without `/proc`: who is whose child and in which group, no more. */
export function psTable(): ProcessTable {
  const rows = (): readonly ProcessRow[] =>
    (runOrNull('ps', ['-axo', 'pid=,ppid=,pgid=,stat=']) ?? '').split('\n').flatMap((line) => {
      const [pid = '', parent = '', group = '', stat = ''] = line.trim().split(/\s+/);
      if (!/^\d+$/.test(pid)) return [];
      return {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: 0,
        hasTerminal: false,
        startTime: '',
        name: '',
        zombie: isZombie(stat),
      };
    });
  return {
    rows,
    row: (pid) => rows().find((row) => row.pid === pid) ?? null,
    markOf: () => null,
    brandOf: () => null,
    folderOf: () => null,
    outputsOf: () => [],
  };
}

/** The row of a process from `/proc/<pid>/stat`; `null` when there is none. */
export function procRow(pid: number): ProcessRow | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command name in the second field may hold spaces and parentheses: proc(5).
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  const startTime = fields[22 - 3];
  if (startTime === undefined) return null;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    hasTerminal: fields[4] !== '0',
    startTime,
    name: stat.slice(stat.indexOf('(') + 1, end),
    zombie: isZombie(fields[0] ?? ''),
  };
}

/** `true` for the state letters of a process that has ended. */
export function isZombie(state: string): boolean {
  return state.startsWith('Z') || state.startsWith('X');
}

/** Text of a file, or `null` when it cannot be read. */
export function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Target of a symbolic link, or `null` when it cannot be read. */
export function linkOrNull(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** What a program prints, trimmed; `null` when it fails. */
export function runOrNull(program: string, args: readonly string[]): string | null {
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

function procMark(pid: number): ProcessMark | null {
  const text = readOrNull(`/proc/${pid}/environ`);
  if (text?.includes('PARALLEL_') !== true) return null;
  const env: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    // The first of two entries of a name is the one getenv(3) finds.
    if (equals > 0) env[entry.slice(0, equals)] ??= entry.slice(equals + 1);
  }
  return markOf(env);
}

function procBrand(pid: number): string | null {
  const limits = readOrNull(`/proc/${pid}/limits`);
  return limits === null ? null : brandIn(limits);
}

function keyOf({ pid, startTime }: ProcessRow): string {
  return `${pid} ${startTime}`;
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import type { ProcessIdentity } from '../model/process';
import type { Processes } from '../ports/processes';
import type {
  ProcessExit,
  ProcessRunner,
  ProcessSpec,
  RunningProcess,
} from '../ports/process-runner';
import { isGroupAlive, killGroup } from './node-processes';

const OUTPUT_FLAGS =
  fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW;
/** How long what a program left running in its group may take to end before it is killed. */
const STRAGGLER_GRACE_MS = 2000;
const STRAGGLER_POLL_MS = 20;

/**
 * Starts programs as leaders of their own process group. Output goes straight to the file, so it is
 * complete even when this process dies first. `exited` tells the leader's exit; before it resolves,
 * whatever the leader left behind in its group is ended (SIGTERM, 2 s, SIGKILL), so that nothing
 * writes on after its attempt is over.
 */
export function nodeProcessRunner(processes: Processes): ProcessRunner {
  return { start: (spec) => start(processes, spec) };
}

async function start(processes: Processes, spec: ProcessSpec): Promise<RunningProcess> {
  const [program, ...args] = spec.argv;
  if (program === undefined || program === '') throw new Error('There is no program to start.');
  const output = fs.openSync(spec.outputPath, OUTPUT_FLAGS, 0o600);
  try {
    const child = spawn(program, args, {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: [spec.stdin === null ? 'ignore' : 'pipe', output, output],
    });
    const exit = leaderExit(child);
    const identity = identityOf(processes, child.pid);
    await spawned(child, program, spec.cwd);
    feed(child, spec.stdin);
    return running(identity, exit);
  } finally {
    fs.closeSync(output);
  }
}

function running(identity: ProcessIdentity, exit: Promise<ProcessExit>): RunningProcess {
  let over = false;
  const exited = exit.then(async (how) => {
    await endStragglers(identity.pid);
    over = true;
    return how;
  });
  return {
    identity,
    exited,
    signal(signal) {
      // Once the group is over, the number may name somebody else's.
      if (!over) killGroup(identity.pid, signal);
    },
  };
}

/** Read before the event loop can reap the child, so its pid cannot be anybody else's yet. */
function identityOf(processes: Processes, pid: number | undefined): ProcessIdentity {
  const { bootId, host } = processes.self();
  const found = pid === undefined ? null : processes.identify(pid);
  return found ?? { pid: pid ?? -1, startTime: 'unknown', bootId, host };
}

function leaderExit(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
}

function spawned(child: ChildProcess, program: string, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (error) => {
      // The system says ENOENT for the program and for the folder alike.
      const where = fs.existsSync(cwd) ? '' : ` (the folder ${cwd} is missing)`;
      const missing = 'code' in error && error.code === 'ENOENT' && where === '';
      const why = missing ? 'no such program on PATH' : `${error.message}${where}`;
      reject(new Error(`Cannot start ${program}: ${why}`));
    });
  });
}

function feed(child: ChildProcess, text: string | null): void {
  if (child.stdin === null || text === null) return;
  // A program may end, or close its input, without reading what we wrote: that is its right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(text);
}

async function endStragglers(pgid: number): Promise<void> {
  if (!isGroupAlive(pgid)) return;
  killGroup(pgid, 'SIGTERM');
  if (await groupEnds(pgid)) return;
  killGroup(pgid, 'SIGKILL');
  // Bounded: a process stuck in the kernel must not hold up the run.
  await groupEnds(pgid);
}

async function groupEnds(pgid: number): Promise<boolean> {
  const deadline = performance.now() + STRAGGLER_GRACE_MS;
  while (isGroupAlive(pgid)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, STRAGGLER_POLL_MS));
  }
  return true;
}

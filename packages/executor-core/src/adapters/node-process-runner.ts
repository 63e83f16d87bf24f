import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import type { ProcessIdentity } from '../model/process';
import { markOf } from '../model/process';
import type { Processes, ProcessTree, ProcessTrees } from '../ports/processes';
import type {
  ProcessExit,
  ProcessRunner,
  ProcessSpec,
  RunningProcess,
} from '../ports/process-runner';
import type { Launcher } from './node-process-launcher';
import { plainLauncher } from './node-process-launcher';
import { nodeProcessTrees } from './node-process-trees';
import type { OutputPipe } from './output-pipe';
import { openOutputPipe, prepareOutputPipes } from './output-pipe';

/** How long what a program left running may take to end before it is killed, and before we give up. */
const STRAGGLER_GRACE_MS = 500;
const STUCK_MS = 2000;
const STRAGGLER_POLL_MS = 20;

interface RunnerTools {
  readonly processes: Processes;
  readonly trees: ProcessTrees;
  readonly launcher: Launcher;
}

/**
 * Starts programs as leaders of their own session and process group. Output comes
 * through a pipe of ours into a bounded log (see `KeptOutput`). `exited` tells the leader's exit; before it
 * resolves, whatever the leader left behind is ended (SIGTERM, 0.5 s, SIGKILL), so that nothing writes
 * on after its attempt is over.
 */
export function nodeProcessRunner(
  processes: Processes,
  trees: ProcessTrees = nodeProcessTrees(processes.self()),
  launcher: Launcher = plainLauncher,
): ProcessRunner {
  return {
    async prepare() {
      await Promise.all([launcher.prepare(), prepareOutputPipes()]);
    },
    start: (spec) => start({ processes, trees, launcher }, spec),
  };
}

async function start(tools: RunnerTools, spec: ProcessSpec): Promise<RunningProcess> {
  const [program] = spec.argv;
  if (program === undefined || program === '') throw new Error('There is no program to start.');
  const [launched = program, ...args] = await tools.launcher.wordsFor(spec);
  const output = await openOutputPipe(spec);
  try {
    const child = spawn(launched, args, {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: [spec.stdin === null ? 'ignore' : 'pipe', output.fd, output.fd],
    });
    const exit = leaderExit(child);
    const identity = identityOf(tools.processes, child.pid);
    await spawned(child, program, spec.cwd);
    feed(child, spec.stdin);
    output.started();
    return running(tools.trees, treeOf(identity, spec), exit, output);
  } catch (error) {
    output.started();
    await output.finish();
    throw error;
  }
}

function treeOf(
  leader: ProcessIdentity,
  spec: ProcessSpec,
): ProcessTree & { leader: ProcessIdentity } {
  const { env, outputPath: output, ownFolder: folder = null } = spec;
  return { leader, mark: markOf(env), folder, output };
}

function running(
  trees: ProcessTrees,
  tree: ProcessTree & { readonly leader: ProcessIdentity },
  exit: Promise<ProcessExit>,
  output: OutputPipe,
): RunningProcess {
  let over = false;
  let frozen = false;
  let killed = false;
  const exited = exit.then(async (how) => {
    await endStragglers(trees, tree, killed);
    over = true;
    await output.finish();
    return how;
  });
  return {
    identity: tree.leader,
    exited,
    signal(signal) {
      // Once the tree is over, its numbers may be somebody else's.
      if (over) return;
      trees.signalTree(tree, signal);
      killed ||= signal === 'SIGKILL';
      // A frozen process hears nothing until it goes on.
      if (frozen && signal !== 'SIGSTOP' && signal !== 'SIGCONT') trees.signalTree(tree, 'SIGCONT');
      frozen = signal === 'SIGSTOP';
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

async function endStragglers(
  trees: ProcessTrees,
  tree: ProcessTree,
  killed: boolean,
): Promise<void> {
  if (trees.signalTree(tree, 0) === 0) return;
  if (!killed) {
    trees.signalTree(tree, 'SIGTERM');
    trees.signalTree(tree, 'SIGCONT');
    if (await ends(trees, tree, STRAGGLER_GRACE_MS)) return;
  }
  trees.signalTree(tree, 'SIGKILL');
  // Bounded: a process stuck in the kernel must not hold up the run.
  await ends(trees, tree, STUCK_MS);
}

async function ends(trees: ProcessTrees, tree: ProcessTree, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (trees.signalTree(tree, 0) > 0) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, STRAGGLER_POLL_MS));
  }
  return true;
}

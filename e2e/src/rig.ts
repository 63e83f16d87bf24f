import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestRepository } from '@parallel-executor/core/testing';
import { makeRepository } from '@parallel-executor/core/testing';

const CLI = resolve(__dirname, '../../packages/cli/bin/parallel-cli.js');

export interface Finished {
  /** Exit code, or 128 and more when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A started `parallel-cli`. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** A real repository and the built CLI. */
export interface Rig {
  readonly root: string;
  readonly repository: TestRepository;
  git(...args: string[]): Promise<string>;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** Runs `parallel-cli` to its end in the root. */
  cli(...args: string[]): Promise<Finished>;
  cliIn(folder: string, ...args: string[]): Promise<Finished>;
  start(...args: string[]): Running;
  /** Resolves when the journal of the current run holds a line that matches. */
  journalSays(pattern: RegExp): Promise<void>;
  /** Names in `.worktrees` that are worktrees. */
  worktrees(): string[];
  has(path: string): boolean;
  done(): Promise<void>;
}

export async function makeRig(files?: Readonly<Record<string, string>>): Promise<Rig> {
  const repository = await makeRepository(files);
  const { root } = repository;
  const running = new Set<Running>();
  const start = (folder: string, args: readonly string[]): Running => {
    const process_ = startCli(folder, args);
    running.add(process_);
    void process_.finished.then(() => running.delete(process_));
    return process_;
  };
  return {
    root,
    repository,
    git: (...args) => repository.git(args),
    write: (content) => repository.write(content),
    cli: (...args) => start(root, args).finished,
    cliIn: (folder, ...args) => start(folder, args).finished,
    start: (...args) => start(root, args),
    journalSays: (pattern) => until(() => pattern.test(readJournalText(root))),
    worktrees: () => list(join(root, '.worktrees')).filter((name) => !name.startsWith('.')),
    has: (path) => existsSync(join(root, path)),
    done: async () => {
      for (const { child } of running) child.kill('SIGKILL');
      endAgentsOf(root);
      await repository.cleanup();
    },
  };
}

/** What agents of a killed run started lives on until somebody resumes it, which no test does after its end. */
function endAgentsOf(root: string): void {
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (environment.includes(`PARALLEL_ROOT=${root}`)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone meanwhile, or somebody else's.
    }
  }
}

/** Looks again every 20 ms; the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve_) => setTimeout(resolve_, 20));
}

/** `true` while a process with this pid lives (a zombie does not). */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function startCli(cwd: string, args: readonly string[]): Running {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', CI: '' };
  for (const name of Object.keys(env))
    if (/^(?:PARALLEL|NX)_/.test(name)) Reflect.deleteProperty(env, name);
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve_({ code: code ?? (signal === 'SIGKILL' ? 137 : 128), stdout, stderr });
    });
  });
  return { child, finished };
}

function readJournalText(root: string): string {
  const run = existsSync(join(root, '.parallel/current'))
    ? readFileSync(join(root, '.parallel/current'), 'utf8').trim()
    : '';
  const journal = join(root, '.parallel/runs', run, 'journal-000001.log');
  return run !== '' && existsSync(journal) ? readFileSync(journal, 'latin1') : '';
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { removeLeftScratch, scratchPrefix } from './scratch';

/** One program to start; what it reads from standard input is nothing. */
export interface ShellCall {
  /** The program, looked for on the launcher's PATH, and its arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Added to the environment of the launcher. */
  readonly env: Readonly<Record<string, string>>;
}

/** `exitCode`: 127 for a program that is not there, -1 for one that a signal ended. */
export interface ShellResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Pending {
  readonly place: number;
  readonly resolve: (result: ShellResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A launcher nobody asks for this long is let go; the next call starts another. */
const IDLE_MS = 5000;
/** A shell remembers every job it started, so it is replaced now and then. */
const CALLS_PER_SHELL = 1000;
const SHELL = '/bin/sh';
const SCRIPT = 'while IFS= read -r line; do eval "$line"; done';

/**
 * Starts short programs from a shell that stays, in a session of its own. To start a process costs a time
 * that grows with the memory of who starts it, since its page tables are copied, and the main thread waits
 * for it. Arguments reach the program as they are, quoted; output comes back through files
 * that are used again and again, the exit code through a pipe.
 *
 * Up to the death of this process in the middle of a call: then git ends its work, as it would anyway.
 */
export class ShellLauncher {
  private child: ChildProcess | null = null;
  private folder: string | null = null;
  private readonly pending = new Map<number, Pending>();
  private readonly freePlaces: number[] = [];
  private places = 0;
  private calls = 0;
  private heard = '';
  private idle: NodeJS.Timeout | null = null;

  /** `env`: the whole environment of every program; `scratch`: folder for a folder of our own. */
  constructor(
    private readonly env: Readonly<Record<string, string>>,
    private readonly scratch = tmpdir(),
  ) {}

  /** `false` for what cannot be told in one line. */
  static accepts({ argv, cwd, env }: ShellCall): boolean {
    return [...argv, cwd, ...Object.values(env)].every((text) => !/[\n\0]/.test(text));
  }

  /** Rejects when there is no shell. When it was killed, the exit code is -1: the program may go on. */
  run(call: ShellCall): Promise<ShellResult> {
    return new Promise((resolve, reject) => {
      const child = this.child ?? this.start();
      const id = (this.calls += 1);
      const place = this.freePlaces.pop() ?? this.places++;
      this.pending.set(id, { place, resolve, reject });
      this.hold(child);
      (child.stdin as Writable).write(`${this.lineFor(call, id, place)}\n`);
    });
  }

  private lineFor({ argv, cwd, env }: ShellCall, id: number, place: number): string {
    const set = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
    const program = [...set, ...argv.map(quote)].join(' ');
    const files = `>${quote(this.file(place, 'out'))} 2>${quote(this.file(place, 'err'))}`;
    return `{ { cd ${quote(cwd)} && ${program}; } </dev/null ${files}; echo "${id} $?" >&3; } &`;
  }

  private start(): ChildProcess {
    this.folder ??= this.makeFolder();
    const child = spawn(SHELL, ['-c', SCRIPT], {
      env: this.env,
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.child = child;
    this.calls = 0;
    this.heard = '';
    const answers = child.stdio[3] as Readable;
    answers.setEncoding('utf8').on('data', (text: string) => {
      this.hear(child, text);
    });
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => {
      this.lose(child, ({ reject }) => {
        reject(error);
      });
    });
    child.on('exit', () => {
      this.lose(child, ({ resolve }) => {
        resolve({ exitCode: -1, stdout: '', stderr: 'the shell that had started it was ended' });
      });
    });
    return child;
  }

  /** With our pid in its name: who finds it later knows whether it is still wanted. */
  private makeFolder(): string {
    const folder = mkdtempSync(join(this.scratch, scratchPrefix('shell')));
    if (ownFolders.size === 0) process.once('exit', dropFolders);
    ownFolders.add(folder);
    return folder;
  }

  private hear(child: ChildProcess, text: string): void {
    const lines = (this.heard + text).split('\n');
    this.heard = lines.pop() ?? '';
    for (const line of lines) {
      const [id = NaN, code = NaN] = line.split(' ').map(Number);
      const call = this.pending.get(id);
      if (call === undefined) continue;
      this.pending.delete(id);
      this.freePlaces.push(call.place);
      const read = (what: 'out' | 'err'): string =>
        readFileSync(this.file(call.place, what), 'utf8');
      // 128 and more is a shell's way to tell of a signal; git itself stops at 129.
      const exitCode = code > 129 ? -1 : code;
      try {
        call.resolve({ exitCode, stdout: read('out'), stderr: read('err') });
      } catch (error) {
        call.reject(error);
      }
    }
    if (this.pending.size === 0) this.release(child);
  }

  private lose(child: ChildProcess, answer: (call: Pending) => void): void {
    if (this.child !== child) return;
    const unanswered = [...this.pending.values()];
    this.pending.clear();
    // A program that goes on without its shell writes to the old files: the next calls get others.
    this.end(child);
    this.freePlaces.length = 0;
    this.places = 0;
    unanswered.forEach(answer);
  }

  private hold(child: ChildProcess): void {
    if (this.idle !== null) clearTimeout(this.idle);
    this.idle = null;
    for (const handle of handlesOf(child)) handle.ref?.();
  }

  private release(child: ChildProcess): void {
    for (const handle of handlesOf(child)) handle.unref?.();
    if (this.calls >= CALLS_PER_SHELL) this.end(child);
    else
      this.idle = setTimeout(() => {
        this.end(child);
      }, IDLE_MS).unref();
  }

  private end(child: ChildProcess): void {
    if (this.child === child) this.child = null;
    child.stdin?.end();
    if (this.folder !== null) {
      rmSync(this.folder, { recursive: true, force: true });
      ownFolders.delete(this.folder);
      if (ownFolders.size === 0) process.removeListener('exit', dropFolders);
      removeLeftScratch(this.scratch);
    }
    this.folder = null;
  }

  private file(place: number, what: 'out' | 'err'): string {
    return join(this.folder ?? '', `${place}.${what}`);
  }
}

/** Folders of this process that are there. */
const ownFolders = new Set<string>();

function dropFolders(): void {
  for (const folder of ownFolders) rmSync(folder, { recursive: true, force: true });
  for (const scratch of new Set([...ownFolders].map((folder) => dirname(folder)))) {
    removeLeftScratch(scratch);
  }
}

interface Handle {
  ref?(): unknown;
  unref?(): unknown;
}

function handlesOf(child: ChildProcess): readonly Handle[] {
  return [child, child.stdin, child.stdio[3]] as unknown as readonly Handle[];
}

/** One word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

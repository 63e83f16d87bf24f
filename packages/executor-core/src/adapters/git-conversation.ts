import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** How a git process that stays is started. */
export interface ConversationSpec {
  /** Options of git itself, before the command. */
  readonly config: readonly string[];
  /** The command and its arguments. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How a git that ended by itself went down. */
export class ConversationEnded extends Error {
  override readonly name = 'ConversationEnded';
  constructor(
    readonly args: readonly string[],
    readonly exitCode: number,
    readonly stderr: string,
  ) {
    super(`git ${args.slice(0, 2).join(' ')} ended (exit ${exitCode}): ${stderr.trim()}`);
  }
}

/**
 * Takes one answer off the front of what git has said so far: the answer and the number of bytes it
 * took, or `null` while it is incomplete.
 */
export type TakeAnswer<T> = (
  said: Buffer,
) => { readonly answer: T; readonly length: number } | null;

interface Question {
  readonly take: TakeAnswer<unknown>;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A process nobody asks for this long is let go; the next question starts another. */
const IDLE_MS = 5000;
/** Characters of complaints that are kept. */
const STDERR_KEPT = 4000;

/**
 * Questions and answers, in order, over one git process that stays. It is started by the first question
 * and ends when nobody asks, when it dies, or with this process, whose end closes its input. It never
 * keeps this process alive by itself.
 */
export class GitConversation {
  private child: Child | null = null;
  private waiting: Question[] = [];
  private chunks: Buffer[] = [];
  private stderr = '';
  private idle: NodeJS.Timeout | null = null;

  constructor(private readonly spec: ConversationSpec) {}

  /** Rejects with `ConversationEnded` when git ended before it answered. */
  ask<T>(question: string | Buffer, take: TakeAnswer<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const child = this.child ?? this.start();
      this.waiting.push({ take, resolve: resolve, reject });
      this.hold(child);
      child.stdin.write(question);
    });
  }

  /** Starts the process unless it is there; it ends as after a question. */
  prepare(): void {
    if (this.child !== null) return;
    this.start();
    this.release();
  }

  private start(): Child {
    const { config, args, cwd, env } = this.spec;
    const child = spawn('git', [...config, ...args], { cwd, env, stdio: 'pipe', detached: true });
    this.child = child;
    this.chunks = [];
    this.stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      this.hear(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    // Its end is told by `close`; a write to a git that has ended says nothing more.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      this.end(child, error);
    });
    child.on('close', (code) => {
      this.end(child, new ConversationEnded(args, code ?? -1, this.stderr));
    });
    return child;
  }

  private hear(chunk: Buffer): void {
    this.chunks.push(chunk);
    let said = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const taken = next.take(said);
      if (taken === null) break;
      said = said.subarray(taken.length);
      this.waiting.shift();
      next.resolve(taken.answer as never);
    }
    this.chunks = said.length === 0 ? [] : [said];
    if (this.waiting.length === 0) this.release();
  }

  private end(child: Child, error: unknown): void {
    if (this.child !== child) return;
    this.child = null;
    this.chunks = [];
    const unanswered = this.waiting;
    this.waiting = [];
    for (const { reject } of unanswered) reject(error);
  }

  private hold(child: Child): void {
    if (this.idle !== null) clearTimeout(this.idle);
    this.idle = null;
    setRef(child, true);
  }

  private release(): void {
    const { child } = this;
    if (child === null) return;
    setRef(child, false);
    this.idle = setTimeout(() => {
      if (this.child === child) this.child = null;
      child.stdin.end();
    }, IDLE_MS).unref();
  }
}

function setRef(child: Child, on: boolean): void {
  for (const part of [child, child.stdin, child.stdout, child.stderr]) {
    const handle = part as unknown as { ref?: () => void; unref?: () => void };
    if (on) handle.ref?.();
    else handle.unref?.();
  }
}

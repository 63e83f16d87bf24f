import type { Workspace } from '@parallel-executor/core';
import type { Out } from './terminal';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** The world outside the command line; a test gives its own. */
export interface Deps {
  readonly stdout: Out;
  readonly stderr: Out;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  openWorkspace(cwd: string): Promise<Workspace>;
  /** Epoch milliseconds. */
  now(): number;
  /** Calls back every `ms`; the returned function ends it. */
  every(ms: number, callback: () => void): () => void;
  onSignal(signal: StopSignal, callback: () => void): () => void;
}

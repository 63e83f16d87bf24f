import type { AgentAdapter } from '../ports/agent';
import type { Channel } from '../ports/channel';
import type { Clock } from '../ports/clock';
import type { Disk } from '../ports/disk';
import type { FileSystem } from '../ports/file-system';
import type { FileTree } from '../ports/file-tree';
import type { Git } from '../ports/git';
import type { Mounts } from '../ports/mounts';
import type { Mutex } from '../ports/mutex';
import type { ProcessRunner } from '../ports/process-runner';
import type { Processes, ProcessTrees } from '../ports/processes';
import type { QuickFiles } from '../ports/quick-files';
import type { Sandbox } from '../ports/sandbox';
import type { TcpPorts } from '../ports/tcp-ports';

/** Everything a run needs from outside, chosen once by the composition root. */
export interface Toolbox {
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly disk: Disk;
  readonly quick: QuickFiles;
  readonly files: FileTree;
  readonly git: Git;
  readonly mutex: Mutex;
  readonly mounts: Mounts;
  readonly channel: Channel;
  readonly processes: Processes;
  readonly trees: ProcessTrees;
  readonly runner: ProcessRunner;
  readonly sandbox: Sandbox;
  readonly tcpPorts: TcpPorts;
  readonly adapters: readonly AgentAdapter[];
  /** Environment agents inherit from, after scrubbing. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/* eslint-disable @typescript-eslint/no-require-imports -- a command and what it needs are loaded when they are used: `--help` and `--version` answer at once */
import type * as BarrierCommand from './commands/barrier';
import type * as CleanCommand from './commands/clean';
import type * as ControlCommand from './commands/control';
import type * as ExplainCommand from './commands/explain';
import type * as InitCommand from './commands/init';
import type * as LocksCommand from './commands/locks';
import type * as LogsCommand from './commands/logs';
import type * as PlanCommand from './commands/plan';
import type * as ProgressCommand from './commands/progress';
import type * as ResolveCommand from './commands/resolve';
import type * as ResumeCommand from './commands/resume';
import type * as RetryCommand from './commands/retry';
import type * as RunCommand from './commands/run';
import type * as SimulateCommand from './commands/simulate';
import type * as StatusCommand from './commands/status';
import type * as Engine from './engine';

/** The one place where modules are loaded late. */
export const lazy = {
  engine: () => require('./engine') as typeof Engine,
  barrier: () => require('./commands/barrier') as typeof BarrierCommand,
  clean: () => require('./commands/clean') as typeof CleanCommand,
  control: () => require('./commands/control') as typeof ControlCommand,
  explain: () => require('./commands/explain') as typeof ExplainCommand,
  init: () => require('./commands/init') as typeof InitCommand,
  locks: () => require('./commands/locks') as typeof LocksCommand,
  logs: () => require('./commands/logs') as typeof LogsCommand,
  plan: () => require('./commands/plan') as typeof PlanCommand,
  progress: () => require('./commands/progress') as typeof ProgressCommand,
  resolve: () => require('./commands/resolve') as typeof ResolveCommand,
  resume: () => require('./commands/resume') as typeof ResumeCommand,
  retry: () => require('./commands/retry') as typeof RetryCommand,
  run: () => require('./commands/run') as typeof RunCommand,
  simulate: () => require('./commands/simulate') as typeof SimulateCommand,
  status: () => require('./commands/status') as typeof StatusCommand,
  version: () => (require('../package.json') as { readonly version: string }).version,
};

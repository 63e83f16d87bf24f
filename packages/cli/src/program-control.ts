import type { BarrierOptions } from './commands/barrier';
import type { ControlOptions } from './commands/control';
import type { ResolveOptions } from './commands/resolve';
import type { RetryOptions } from './commands/retry';
import { lazy } from './lazy';
import type { Wiring } from './wiring';
import { adder, parseCount, progressOption } from './wiring';

const RUN_ARGUMENT = 'run id; the current run by default';
const JSON_OPTION = 'print one JSON object';

/** The commands that tell a run what to do, from any terminal, and the one that waits for it. */
export function addControls(wiring: Wiring): void {
  addPause(wiring);
  addKill(wiring);
  addAgents(wiring);
  addRetry(wiring);
  addResolve(wiring);
  addBarrier(wiring);
}

function addPause({ add, context, finish }: Wiring): void {
  add(
    'pause',
    'start nothing new until "resume"; running agents finish, or stand still with --suspend',
    'parallel-cli pause',
    'parallel-cli pause --suspend',
  )
    .argument('[run]', RUN_ARGUMENT)
    .option(
      '--suspend',
      'stop running agents where they are; they keep their leases and their time',
    )
    .option('--json', JSON_OPTION)
    .action(async (run: string | undefined, options: ControlOptions) => {
      finish(await lazy.control().pause(context(), run, options));
    });
}

function addKill({ add, context, finish }: Wiring): void {
  add(
    'kill',
    'end one agent with all it started, or all of them',
    'parallel-cli kill agent-3',
    'parallel-cli kill api_routes',
    'parallel-cli kill --all',
  )
    .argument('[target]', 'agent-<n> or a task id')
    .option('--all', 'end every agent and the run')
    .option('--run <run>', RUN_ARGUMENT)
    .option('--json', JSON_OPTION)
    .action(async (target: string | undefined, options: ControlOptions) => {
      finish(await lazy.control().kill(context(), target, options));
    });
}

function addAgents({ add, context, finish }: Wiring): void {
  add('agents', 'change how many agents may run at once, while they run', 'parallel-cli agents 10')
    .argument('<n>', '1 to 25; more only where the plan allows it', parseCount)
    .argument('[run]', RUN_ARGUMENT)
    .option('--json', JSON_OPTION)
    .action(async (count: number, run: string | undefined, options: ControlOptions) => {
      finish(await lazy.control().agents(context(), count, run, options));
    });
}

function addRetry({ add, context, finish }: Wiring): void {
  add(
    'retry',
    'try tasks that did not land again, while the run goes on or after it',
    'parallel-cli retry api_routes',
    'parallel-cli retry --all',
  )
    .argument('[names...]', 'task id, then run id; the current run by default')
    .option('--all', 'every task that failed, is blocked, in conflict, or was cancelled')
    .addOption(progressOption())
    .option('--json', JSON_OPTION)
    .action(async (names: readonly string[], options: RetryOptions) => {
      finish(await lazy.retry().execute(context(), names, options));
    });
}

function addResolve({ add, context, finish }: Wiring): void {
  add(
    'resolve',
    'settle the conflict of a task by hand, in a worktree with conflict markers',
    'parallel-cli resolve api_routes',
    'parallel-cli resolve api_routes --continue',
  )
    .argument('<task>', 'task that is in conflict')
    .option('--continue', 'land what you made of it; refused while something is not settled')
    .option('--abort', 'take the worktree away; what is only there is kept under a ref')
    .option('--run <run>', RUN_ARGUMENT)
    .addOption(progressOption())
    .option('--json', JSON_OPTION)
    .addHelpText(
      'after',
      '\nExit code 3: the conflict waits for you. With --continue: that of the run, see "run --help".\n',
    )
    .action(async (task: string, options: ResolveOptions) => {
      finish(await lazy.resolve().execute(context(), task, options));
    });
}

function addBarrier({ add, context, finish }: Wiring): void {
  const barrier = add(
    'barrier',
    'wait until a phase of the run has landed',
    'parallel-cli barrier wait phase_1',
  );
  adder(barrier)(
    'wait',
    'wait until every task of the phase, and of those before, has landed',
    'parallel-cli barrier wait phase_1',
    'parallel-cli barrier wait phase_1 --timeout 10m',
  )
    .argument('<name>', 'phase of the plan')
    .option('--timeout <duration>', "how long; the plan's barrier_timeout by default")
    .option('--run <run>', RUN_ARGUMENT)
    .option('--json', JSON_OPTION)
    .addHelpText(
      'after',
      '\nExit codes: 0 it opened, 1 it never will (the reason is told at once), 3 it did not in time.\n',
    )
    .action(async (name: string, options: BarrierOptions) => {
      finish(await lazy.barrier().wait(context(), name, options));
    });
}

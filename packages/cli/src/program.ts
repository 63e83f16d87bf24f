import { Command, InvalidArgumentError, Option } from 'commander';
import type { CleanOptions } from './commands/clean';
import type { PlanChoice } from './commands/load-plan';
import type { ExplainOptions } from './commands/explain';
import type { LocksOptions } from './commands/locks';
import type { LogsOptions } from './commands/logs';
import type { ProgressOptions } from './commands/progress';
import type { ResumeOptions } from './commands/resume';
import type { RunOptions } from './commands/run';
import type { SimulateOptions } from './commands/simulate';
import type { StatusOptions } from './commands/status';
import { contextOf } from './context';
import type { Deps } from './deps';
import type { ExitCode } from './exit-codes';
import { lazy } from './lazy';
import { CLEAN_HELP, EXIT_CODES_HELP } from './messages';
import { addControls } from './program-control';
import type { ColorChoice } from './ui/capabilities';
import type { Wiring } from './wiring';
import { adder, parseCount, progressOption } from './wiring';

/** A plan may ask for at most so many agents. */
const MOST_AGENTS = 200;

/** The command line. `finish` gets the exit code of the command that ran; it is not called for help. */
export function buildProgram(deps: Deps, finish: (code: ExitCode) => void): Command {
  const program = new Command('parallel-cli')
    .description('Run up to 25 coding agents at once on one repository and land their work safely.')
    .version(lazy.version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addOption(
      new Option('--color <when>', 'colour in the output')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .option('-C, --cwd <dir>', 'work in this folder')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        deps.stdout.write(text);
      },
      writeErr: (text) => {
        deps.stderr.write(text);
      },
      getOutHelpWidth: () => deps.stdout.columns ?? 100,
      getErrHelpWidth: () => deps.stderr.columns ?? 100,
    })
    .addHelpText(
      'before',
      'For example:\n  parallel-cli init && parallel-cli plan && parallel-cli run\n',
    )
    .addHelpText('after', EXIT_CODES_HELP);
  const wiring: Wiring = {
    finish,
    context: () => contextOf(deps, program.opts<{ color: ColorChoice; cwd?: string }>()),
    add: adder(program),
  };
  addPlanning(wiring);
  addRunning(wiring);
  addControls(wiring);
  addLooking(wiring);
  addProgress(wiring);
  addLocks(wiring);
  addClean(wiring);
  return program;
}

function addPlanning({ add, context, finish }: Wiring): void {
  add(
    'init',
    'write an example plan, parallel.yaml, unless there is a plan',
    'parallel-cli init',
  ).action(async () => {
    finish(await lazy.init().execute(context()));
  });
  const plan = add(
    'plan',
    'show what would run when, and which tasks are likely to conflict, before anything runs',
    'parallel-cli plan',
    'parallel-cli plan tasks/release.yaml --agents 10 --json',
  ).argument('[plan]', 'plan file; parallel.yaml at the repository root by default');
  withPlanOptions(plan).action(async (file: string | undefined, options: PlanChoice) => {
    finish(await lazy.plan().execute(context(), file, options));
  });
  add(
    'simulate',
    'play the plan through with different numbers of agents, and start nothing',
    'parallel-cli simulate',
    'parallel-cli simulate --agents 1,5,10,25 --json',
  )
    .argument('[plan]', 'plan file; parallel.yaml at the repository root by default')
    .option('--agents <list>', 'numbers of agents to try, 1 to 200 each', parseCounts)
    .option('--plan <file>', 'plan file, as the argument')
    .option('--json', 'print one JSON object')
    .action(async (file: string | undefined, options: SimulateOptions) => {
      finish(await lazy.simulate().execute(context(), file, options));
    });
}

function addRunning({ add, context, finish }: Wiring): void {
  const run = add(
    'run',
    'run the plan and land the work of its agents',
    'parallel-cli run',
    'parallel-cli run tasks/release.yaml --agents 10 --progress plain',
  )
    .argument('[plan]', 'plan file; parallel.yaml at the repository root by default')
    .option('--dry-run', 'show what would run when, and start nothing')
    .addOption(
      new Option('--land <mode>', 'where the work goes, instead of what the plan says').choices([
        'target',
        'branch',
        'pr',
        'none',
      ]),
    )
    .addOption(new Option('--squash', 'land the whole run as one commit').conflicts('mergeCommits'))
    .option('--merge-commits', 'land each task as a merge commit')
    .addOption(progressOption());
  withPlanOptions(run).action(async (file: string | undefined, options: RunOptions) => {
    const command = options.dryRun === true ? lazy.plan() : lazy.run();
    finish(await command.execute(context(), file, options));
  });
  add(
    'resume',
    'undo a pause, or continue a run whose process is gone',
    'parallel-cli resume',
    'parallel-cli resume PEXEC-1705323000000',
  )
    .argument('[run]', 'run id; the current run by default')
    .addOption(progressOption())
    .option('--json', 'print one JSON object')
    .action(async (run: string | undefined, options: ResumeOptions) => {
      finish(await lazy.resume().execute(context(), run, options));
    });
}

function addLooking({ add, context, finish }: Wiring): void {
  add(
    'status',
    'show how a run is going and what needs a person',
    'parallel-cli status',
    'parallel-cli status --watch',
  )
    .argument('[run]', 'run id; the current run by default')
    .option('-w, --watch', 'keep showing it until the run is over')
    .option('--json', 'print one JSON object (with --watch: one per line and change)')
    .action(async (run: string | undefined, options: StatusOptions) => {
      finish(await lazy.status().execute(context(), run, options));
    });
  add(
    'logs',
    'print what an agent printed; without a task, list the logs',
    'parallel-cli logs api_routes --follow',
  )
    .argument('[task]', 'task id')
    .option('-f, --follow', 'keep printing until the run is over')
    .option('--attempt <n>', 'this attempt instead of the latest', parseCount)
    .option('--run <run>', 'run id; the current run by default')
    .action(async (task: string | undefined, options: LogsOptions) => {
      finish(await lazy.logs().execute(context(), task, options));
    });
  add(
    'explain',
    'say how a task stands and why, and what became of its attempts',
    'parallel-cli explain api_routes',
  )
    .argument('<task>', 'task id')
    .option('--run <run>', 'run id; the current run by default')
    .option('--json', 'print one JSON object')
    .action(async (task: string, options: ExplainOptions) => {
      finish(await lazy.explain().execute(context(), task, options));
    });
}

function addProgress({ add, context, finish }: Wiring): void {
  add(
    'progress',
    'for agents: say how far the task is, what it has cost, or that it needs no change',
    'parallel-cli progress 40 "wiring routes"',
    'parallel-cli progress --usd 0.42 --tokens 12000',
    'parallel-cli progress --noop "all routes are wired already"',
  )
    .argument('[percent]', '0 to 100, or - for a note alone')
    .argument('[note]', 'what is being done now')
    .option('--noop <reason>', 'declare that nothing is to be changed, and why')
    .option('--usd <amount>', 'dollars spent since this was last said')
    .option('--tokens <count>', 'tokens read and written since then')
    .action(
      async (percent: string | undefined, note: string | undefined, options: ProgressOptions) => {
        finish(await lazy.progress().execute(context(), percent, note, options));
      },
    );
}

function addLocks({ add, context, finish }: Wiring): void {
  const locks = add(
    'locks',
    'show who holds which files and who waits for whom',
    'parallel-cli locks',
    'parallel-cli locks request "src/api/**"',
  )
    .option('--json', 'print one JSON object')
    .action(async (options: LocksOptions) => {
      finish(await lazy.locks().execute(context(), options));
    });
  locks
    .command('request')
    .description('for agents: ask for more files to write, granted if nobody holds them')
    .argument('<glob...>', 'what is to be written; quote it')
    .action(async (globs: readonly string[]) => {
      finish(await lazy.locks().request(context(), globs, locks.opts<LocksOptions>()));
    });
}

function addClean({ add, context, finish }: Wiring): void {
  add(
    'clean',
    'show what runs left behind; with --force, remove what is of no use',
    'parallel-cli clean',
    'parallel-cli clean --force',
    'parallel-cli clean --run PEXEC-1705323000000',
    'parallel-cli clean --unlanded --force',
  )
    .option('--force', 'remove what would go; without it, nothing is changed')
    .option('--run <run>', 'this run alone, with all it left, whether it landed or not')
    .option('--unlanded', 'also work of ended runs that has not landed')
    .option('--json', 'print one JSON object')
    .addHelpText('after', CLEAN_HELP)
    .action(async (options: CleanOptions) => {
      finish(await lazy.clean().execute(context(), options));
    });
}

function withPlanOptions(command: Command): Command {
  return command
    .option('--agents <n>', 'at most this many agents at once', parseCount)
    .option('--plan <file>', 'plan file, as the argument')
    .option('--json', 'print one JSON object');
}

function parseCounts(text: string): readonly number[] {
  const counts = text.split(',').map((part) => (/^ *\d{1,3} *$/.test(part) ? Number(part) : 0));
  if (counts.every((count) => count >= 1 && count <= MOST_AGENTS)) return counts;
  throw new InvalidArgumentError(`Give whole numbers from 1 to ${MOST_AGENTS}, such as 1,5,10.`);
}

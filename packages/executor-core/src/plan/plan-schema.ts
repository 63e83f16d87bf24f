import * as z from 'zod';
import { landingKeys } from './landing-schema';
import {
  text,
  name,
  texts,
  globs,
  commands,
  duration,
  positive,
  flag,
  oneOf,
  env,
  mapping,
} from './schema-words';

/**
 * The plan file, key for key. Values stay as written (durations are text): what they mean is worked out
 * after every check, and the JSON Schema for editors is made from this very object.
 */

/** How many agents a plan may ask for, and how many with `allow_more_agents`. */
export const MAX_AGENTS = 25;
export const MAX_AGENTS_ALLOWED = 200;

export const CONFLICT_CHOICES = ['auto_merge', 'manual', 'priority', 'theirs-if-newer'] as const;
export const NOOP_CHOICES = ['accept', 'refuse'] as const;
export const RESUME_CHOICES = ['wip', 'session', 'fresh'] as const;
export const WORKTREE_CHOICES = ['auto', 'sparse', 'overlay', 'full'] as const;
export const SANDBOX_CHOICES = ['auto', 'required', 'off'] as const;
export const PRIORITY_NAMES = { CRITICAL: 95, HIGH: 80, NORMAL: 50, LOW: 20 } as const;

const retryPolicy = z.strictObject(
  {
    max_retries: z
      .number({ error: 'expected a whole number' })
      .int('expected a whole number')
      .min(0, 'it must be 0 or more')
      .max(100, 'it must be 100 or less'),
    backoff: oneOf(['exponential', 'fixed', 'none']),
    base_delay: duration,
    max_delay: duration,
  },
  mapping('retry settings'),
);

const noop = oneOf(NOOP_CHOICES).meta({
  description:
    'What an attempt that changed nothing means: accept, there was nothing to do; refuse, it failed unless the agent declares the no-op.',
});
const command = z.union([text('a command'), texts('an argument').min(1)], {
  error: 'expected a command: text, or a list of arguments',
});

const healer = z
  .union([name('an agent'), z.strictObject({ command }, mapping('command'))], {
    error: 'expected the name of an agent, or { command: "…" }',
  })
  .meta({
    description:
      "Looks at a failed attempt's worktree and mends it before the retry: an agent, or a command.",
  });

const sandbox = oneOf(SANDBOX_CHOICES).meta({
  description:
    'Keeps agents to their write sets while they work (bubblewrap): auto, where the system can; required, or nothing starts; off.',
});

const executor = z.strictObject(
  {
    max_agents: positive
      .max(MAX_AGENTS_ALLOWED, `it must be ${MAX_AGENTS_ALLOWED} or less`)
      .meta({ description: 'Agents at once: 1 to 25; up to 200 with allow_more_agents.' }),
    allow_more_agents: flag.meta({ description: 'Lets max_agents and --agents go above 25.' }),
    worktree_base: text('a folder').meta({
      description: 'Folder of the worktrees, in the repository.',
    }),
    worktrees: oneOf(WORKTREE_CHOICES).meta({
      description:
        'How worktrees come to their files: full, all are written; sparse, those the task names; overlay, all are shown from one checkout; auto, what suits the repository.',
    }),
    lock_timeout: duration,
    barrier_timeout: duration,
    retry_policy: retryPolicy.partial(),
    checkpoint_interval: z.union([z.enum(['phase', 'task']), duration], {
      error: 'expected phase, task or a duration such as 30s',
    }),
    forecast: z
      .union([z.literal('off'), duration], { error: 'expected off or a duration such as 30s' })
      .meta({ description: 'How often running work is looked at for coming conflicts.' }),
    failure_strategy: oneOf(['continue_on_failure', 'fail_fast', 'retry_failed']),
    timeout: duration.meta({ description: 'Longest time of one attempt, such as 30m.' }),
    deadline: duration.meta({ description: 'Longest time of the whole run, such as 8h.' }),
    healer,
    default_agent: name('an agent').meta({ description: 'Agent of the tasks that name none.' }),
    setup: z
      .strictObject(
        {
          copy: texts('a path'),
          reflink: texts('a path').meta({ description: 'The same as copy.' }),
          hardlink: texts('a path').meta({
            description:
              'Files get a second name: what an agent writes into one changes yours, too.',
          }),
          link: texts('a path'),
          run: commands,
          sparse: texts('a folder').meta({
            description: 'Folders a sparse worktree has besides those its task names.',
          }),
          ports: z
            .number({ error: 'expected a whole number' })
            .int('expected a whole number')
            .min(0, 'it must be 0 or more')
            .max(1000, 'it must be 1000 or less')
            .meta({ description: 'TCP ports each attempt has for itself; 10 by default.' }),
        },
        mapping('copy, reflink, hardlink, link, run, sparse and ports'),
      )
      .partial()
      .meta({ description: 'How a fresh worktree is made ready.' }),
    secrets: texts('the name of a variable').meta({
      description: 'Environment variables whose values are kept out of logs, reports and commits.',
    }),
    sandbox,
    ...landingKeys,
    budget: z
      .strictObject(
        {
          usd: z.number({ error: 'expected a number' }).positive('it must be more than 0'),
          tokens: positive,
        },
        mapping('usd and tokens'),
      )
      .partial(),
  },
  mapping('settings'),
);

const agent = z.strictObject(
  {
    adapter: name('an adapter'),
    command,
    model: text('the name of a model'),
    instructions: text('text'),
    max_parallel: positive,
    noop,
    resume: oneOf(RESUME_CHOICES).meta({
      description:
        'What an attempt starts from when the one before was interrupted: fresh, the base alone; wip, the work that was in its worktree; session, that and the session of an agent that has one.',
    }),
    sandbox,
    env,
  },
  mapping('agent settings'),
);

const resource = z.strictObject(
  {
    id: name('a resource'),
    exclusive: flag.optional(),
    amount: positive.optional().meta({
      description: 'How much of a counted resource it takes; 1 by default.',
    }),
  },
  mapping('id, exclusive and amount'),
);

const task = z.strictObject(
  {
    agent: name('an agent'),
    prompt: text('text'),
    prompt_file: text('a path'),
    project: name('an Nx project'),
    priority: z.union(
      [
        z
          .number({ error: 'expected a number' })
          .min(0, 'it must be 0 or more')
          .max(100, 'it must be 100 or less'),
        z.enum(['CRITICAL', 'HIGH', 'NORMAL', 'LOW', 'critical', 'high', 'normal', 'low']),
      ],
      { error: 'expected CRITICAL, HIGH, NORMAL, LOW or a number from 0 to 100' },
    ),
    phase: name('a phase'),
    depends_on: z.array(name('a task'), { error: 'expected a list of tasks' }),
    reads: globs,
    writes: globs,
    required_resources: z.array(resource, { error: 'expected a list of resources' }),
    team: name('a team'),
    task_type: name('a task type'),
    verify: commands.meta({ description: "Commands run in the agent's worktree after its work." }),
    timeout: duration.meta({ description: 'Longest time of one attempt, such as 30m.' }),
    deadline: duration.meta({
      description: 'Longest time from the first start to the landing, over all attempts.',
    }),
    noop,
    env,
  },
  mapping('task settings'),
);

const lockMap = z.record(z.string(), globs, mapping('tasks (or agent-N) to globs'));
const lockTable = z.union([lockMap, z.array(lockMap)], {
  error: 'expected a list of entries such as "- agent-1: [src/**]"',
});
const limits = z.record(
  z.string(),
  z.strictObject({ max_parallel: positive }, mapping('max_parallel')),
  mapping('names to { max_parallel: N }'),
);

/** Sections and entries that are left empty (`tasks:`) count as absent. */
const section = <T extends z.ZodType>(schema: T) => schema.nullable().optional();

export const planFileSchema = z
  .strictObject({
    version: z.literal(1, { error: 'expected version 1' }).optional(),
    parallel_executor: section(executor.partial()),
    agents: section(z.record(z.string(), agent.partial().nullable(), mapping('names to agents'))),
    phases: section(z.array(name('a phase'), { error: 'expected a list of phase names' })),
    graph: section(
      z
        .record(
          z.string(),
          z.array(name('a task'), { error: 'expected a list of tasks' }).nullable(),
          mapping('tasks to the tasks they depend on'),
        )
        .meta({ description: 'What each task depends on; merged with depends_on.' }),
    ),
    tasks: section(z.record(z.string(), task.partial().nullable(), mapping('ids to tasks'))),
    locks: section(
      z
        .strictObject(
          {
            read: lockTable.nullable(),
            write: lockTable.nullable(),
            conflict_resolution: z
              .string({ error: `expected one of: ${CONFLICT_CHOICES.join(', ')}` })
              .regex(
                /^(auto_merge|manual|priority|theirs-if-newer)( *\| *(auto_merge|manual|priority|theirs-if-newer))*$/,
                `expected one of: ${CONFLICT_CHOICES.join(', ')}`,
              ),
          },
          mapping('read, write and conflict_resolution'),
        )
        .partial(),
    ),
    resource_strategies: section(
      z
        .strictObject(
          {
            team_based: limits.nullable(),
            task_type_based: limits.nullable(),
            resources: limits.nullable().meta({
              description: 'Counted resources: how much of each there is.',
            }),
          },
          mapping('team_based, task_type_based and resources'),
        )
        .partial(),
    ),
  })
  .meta({
    title: 'Parallel Executor plan',
    description: 'Tasks for coding agents, in what order, with which files, and how they land.',
  });

/** A plan file that has passed the schema, and nothing more. */
export type PlanFile = z.infer<typeof planFileSchema>;
export type PlanFileTask = NonNullable<NonNullable<PlanFile['tasks']>[string]>;
export type PlanFileAgent = NonNullable<NonNullable<PlanFile['agents']>[string]>;
export type PlanFileExecutor = NonNullable<PlanFile['parallel_executor']>;

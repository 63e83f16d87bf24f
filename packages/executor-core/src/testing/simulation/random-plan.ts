import type { Resource } from '../../model/access';
import type { Plan, Settings } from '../../model/task';
import type { TaskDraft } from '../plan';
import { planOf } from '../plan';
import type { Random } from './random';

const PHASES = ['p0', 'p1', 'p2'];

/**
 * A plan of 5 to 80 tasks, small ones more often, over few folders and resources, so that conflicts,
 * phases, limits and chains are common.
 */
export function randomPlan(random: Random): Plan {
  const size = 5 + Math.floor(75 * (random.below(1000) / 1000) ** 7);
  const phases = random.chance(50) ? PHASES.slice(0, 1 + random.below(3)) : [];
  const profiles = ['x', 'y', 'z'].slice(0, 1 + random.below(3));
  const rich = random.chance(60);
  const drafts: TaskDraft[] = [];
  for (let at = 0; at < size; at += 1) {
    drafts.push(randomTask(random, { at, phases, profiles, rich, before: drafts }));
  }
  return planOf({
    settings: randomSettings(random),
    agents: profiles.map((name) => ({
      name,
      maxParallel: random.chance(25) ? 1 + random.below(3) : null,
    })),
    phases,
    tasks: drafts,
  });
}

function randomSettings(random: Random): Partial<Settings> {
  const backoff = random.pick(['none', 'fixed', 'exponential'] as const);
  const maxRetries = random.below(4);
  return {
    maxAgents: 1 + random.below(8),
    deadlineMs: random.chance(8) ? 50 + random.below(600) : null,
    failureStrategy: random.pick([
      ...(['continue_on_failure', 'continue_on_failure', 'retry_failed'] as const),
      'fail_fast',
    ] as const),
    conflictPolicy: random.pick(['wait', 'wait', 'wait', 'auto_merge', 'manual'] as const),
    retry: { maxRetries, backoff, baseMs: 20, maxMs: 100 },
    limits: {
      team: random.chance(30) ? { red: 1 + random.below(3) } : {},
      taskType: random.chance(30) ? { heavy: 1 + random.below(2) } : {},
    },
  };
}

interface Around {
  readonly at: number;
  readonly phases: readonly string[];
  readonly profiles: readonly string[];
  /** With resources, limits and overlapping files. */
  readonly rich: boolean;
  readonly before: readonly TaskDraft[];
}

function randomTask(random: Random, around: Around): TaskDraft {
  const { at, phases, profiles, rich, before } = around;
  const phase = phases.length > 0 && random.chance(70) ? random.below(phases.length) : null;
  const mayFollow = before.filter(
    (other) =>
      phase === null || typeof other.phase !== 'string' || phases.indexOf(other.phase) <= phase,
  );
  // A task without a phase follows such tasks only: through a later phase there would be a cycle.
  const candidates = phase === null ? before.filter((other) => other.phase === null) : mayFollow;
  const count = candidates.length === 0 ? 0 : random.below(4) - 1;
  const dependsOn = new Set<string>();
  for (let n = 0; n < count; n += 1) dependsOn.add(random.pick(candidates).id);
  return {
    id: `t${at}`,
    profile: random.chance(8) ? null : random.pick(profiles),
    phase: phase === null ? null : (phases[phase] ?? null),
    priority: random.pick([50, 50, 50, 50, 50, 50, 75, 75, random.chance(30) ? 95 : 60]),
    dependsOn: [...dependsOn],
    deadlineMs: random.chance(6) ? 20 + random.below(300) : null,
    team: random.chance(30) ? 'red' : null,
    taskType: random.chance(30) ? 'heavy' : null,
    ...(rich ? { ...randomFiles(random, at), resources: randomResources(random) } : {}),
  };
}

function randomFiles(random: Random, at: number): Partial<TaskDraft> {
  const folder = `d${random.below(5)}`;
  const writes = random.pick([
    [`${folder}/t${at}.ts`],
    [`${folder}/t${at}.ts`],
    [`${folder}/**`],
    [],
  ]);
  return { writes, reads: random.chance(20) ? [`d${random.below(5)}/*`] : [] };
}

function randomResources(random: Random): readonly Resource[] {
  if (random.chance(80)) return [];
  if (random.chance(40)) return [{ id: 'db', exclusive: random.chance(60) }];
  return [{ id: 'gpu', exclusive: false, amount: 1 + random.below(4), capacity: 4 }];
}

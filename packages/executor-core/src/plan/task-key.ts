import { createHash } from 'node:crypto';
import type { Plan, Task } from '../model/task';

/** Identity of a plan: sha256 (hex) over its canonical JSON, everything included. */
export function planDigest(plan: Plan): string {
  return sha256(canonicalJson(plan));
}

/**
 * Key of what decides a task's result, as far as the plan knows it: sha256 (hex) over its own entry
 * and the definition of its agent. Position, slot, priority, phase, limits, timeout and dependencies
 * are left out: they decide when a task runs, not what it makes. The caller adds base and read set.
 */
export function taskKey(plan: Plan, task: Task): string {
  const profile = plan.agents.find((agent) => agent.name === task.profile) ?? null;
  return sha256(
    canonicalJson({
      id: task.id,
      prompt: task.prompt,
      project: task.project,
      access: { reads: [...task.access.reads].sort(), writes: [...task.access.writes].sort() },
      writesDeclared: task.writesDeclared,
      verify: task.verify,
      env: task.env,
      agent:
        profile === null
          ? task.profile
          : {
              name: profile.name,
              adapter: profile.adapter,
              command: profile.command,
              model: profile.model,
              instructions: profile.instructions,
              env: profile.env,
            },
    }),
  );
}

/** JSON with sorted keys and no white space; `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

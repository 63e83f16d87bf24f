import type { Plan, Task } from '../model/task';
import { parsePlan } from './load-plan';
import { canonicalJson, planDigest, taskKey } from './task-key';

const load = (extra: string, settings = ''): Plan => {
  const text = `agents: { x: { command: run, env: { B: 1, A: 2 } } }
${settings}
tasks: { before: {}, a: { agent: x, prompt: p, reads: [r], writes: [w, v], ${extra} } }`;
  const result = parsePlan({ text, file: 'p.yaml' });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.plan;
};

const keyOf = (plan: Plan): string => taskKey(plan, plan.tasks[1] as Task);

describe('taskKey', () => {
  const key = keyOf(load(''));

  it('is a sha256', () => {
    expect(key).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(['priority: HIGH', 'timeout: 5m', 'depends_on: [before]', 'team: t', 'task_type: t'])(
    'stays the same with %s',
    (extra) => {
      expect(keyOf(load(extra))).toBe(key);
    },
  );

  it('stays the same with other limits, slots and order of globs', () => {
    expect(keyOf(load('', 'parallel_executor: { max_agents: 1, timeout: 5m }'))).toBe(key);
    const plan = load('');
    const task = plan.tasks[1] as Task;
    expect(taskKey(plan, { ...task, access: { ...task.access, writes: ['v', 'w'] } })).toBe(key);
  });

  it.each(['env: { X: 1 }', 'verify: [test]', 'project: web'])('changes with %s', (extra) => {
    expect(keyOf(load(extra))).not.toBe(key);
  });

  it('changes with the prompt, the access and the definition of the agent', () => {
    const plan = load('');
    const task = plan.tasks[1] as Task;
    expect(taskKey(plan, { ...task, prompt: 'q' })).not.toBe(key);
    expect(taskKey(plan, { ...task, access: { reads: [], writes: ['w', 'v'] } })).not.toBe(key);
    const agents = plan.agents.map((agent) => ({ ...agent, model: 'other' }));
    expect(taskKey({ ...plan, agents }, task)).not.toBe(key);
    const roomier = plan.agents.map((agent) => ({ ...agent, maxParallel: 3 }));
    expect(taskKey({ ...plan, agents: roomier }, task)).toBe(key);
  });
});

describe('planDigest', () => {
  it('tells plans apart and does not depend on the order of keys', () => {
    const plan = load('');
    expect(planDigest(load(''))).toBe(planDigest(plan));
    expect(planDigest(load('priority: HIGH'))).not.toBe(planDigest(plan));
    const { tasks, ...rest } = plan;
    expect(planDigest({ tasks, ...rest })).toBe(planDigest(plan));
    expect(planDigest(JSON.parse(JSON.stringify(plan)) as Plan)).toBe(planDigest(plan));
  });
});

describe('canonicalJson', () => {
  it('sorts keys at every depth and drops undefined members', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x', z: undefined })).toBe(
      '{"a":"x","b":[{"c":null,"d":1}]}',
    );
  });
});

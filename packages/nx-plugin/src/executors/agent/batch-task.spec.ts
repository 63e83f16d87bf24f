import type { TaskGraph } from '@nx/devkit';
import { batchTasks } from './batch-task';

const graphOf = (dependencies: Readonly<Record<string, readonly unknown[]>>): TaskGraph => {
  const ids = Object.keys(dependencies);
  const tasks = Object.fromEntries(
    ids.map((id) => [id, { id, target: { project: 'p', target: id.split(':')[1] } }]),
  );
  return { tasks, dependencies, roots: [], continuousDependencies: {} } as unknown as TaskGraph;
};

describe('batchTasks', () => {
  afterEach(() => {
    delete process.env['PARALLEL_TASK_ID'];
  });

  it.each([
    ['23', ['p:agent-a']],
    ['24', [{ id: 'p:agent-a' }]],
  ])('puts each behind what it waits for, in the shape of Nx %s', (_version, edge) => {
    const graph = graphOf({ 'p:agent-b': edge, 'p:agent-a': [] });
    const inputs = { 'p:agent-a': { task: 'a' }, 'p:agent-b': { task: 'b' } };
    expect(batchTasks(graph, inputs, graph)).toEqual([
      { id: 'p:agent-a', task: 'a', refused: null, after: [], upstream: [] },
      { id: 'p:agent-b', task: 'b', refused: null, after: ['p:agent-a'], upstream: ['a'] },
    ]);
  });

  it('knows what came before the batch, through barriers, and waits for none of it', () => {
    const batch = graphOf({ 'p:agent-c': ['p:parallel-barrier-one'] });
    const whole = graphOf({
      'p:agent-c': ['p:parallel-barrier-one'],
      'p:parallel-barrier-one': ['p:agent-a', 'p:agent-b'],
      'p:agent-a': [],
      'p:agent-b': [],
    });
    expect(batchTasks(batch, { 'p:agent-c': { task: 'c' } }, whole)).toMatchObject([
      { task: 'c', after: [], upstream: ['a', 'b'] },
    ]);
  });

  it('says why a task cannot be run', () => {
    const graph = graphOf({ 'p:agent-a': [] });
    const [bad] = batchTasks(graph, { 'p:agent-a': { problem: 'bad plan' } }, graph);
    expect(bad?.refused).toBe('bad plan');
    process.env['PARALLEL_TASK_ID'] = 'outer';
    const [inner] = batchTasks(graph, { 'p:agent-a': { task: 'a' } }, graph);
    expect(inner?.refused).toContain('the agent of outer');
  });
});

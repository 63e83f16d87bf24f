import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { upstreamTasks } from './upstream-tasks';

type Edge = string | { readonly id: string };

function context(
  target: string,
  dependencies: Readonly<Record<string, readonly Edge[]>>,
): ExecutorContext {
  const tasks: Record<string, object> = {};
  for (const id of Object.keys(dependencies)) {
    const [project = '', name = ''] = id.split(':');
    tasks[id] = { id, target: { project, target: name }, outputs: [], overrides: {} };
  }
  const taskGraph: Partial<TaskGraph> = {
    tasks: tasks as TaskGraph['tasks'],
    dependencies: dependencies as TaskGraph['dependencies'],
  };
  return { projectName: 'p', targetName: target, taskGraph } as ExecutorContext;
}

describe('upstreamTasks', () => {
  it('finds what came before, nearest first, through barriers', () => {
    const graph = {
      'p:agent-d': ['p:agent-c', 'root:parallel-barrier-one'],
      'p:agent-c': ['q:agent-a'],
      'root:parallel-barrier-one': ['q:agent-a', 'q:agent-b', 'q:build'],
      'q:agent-a': [],
      'q:agent-b': [],
      'q:build': [],
    };
    expect(upstreamTasks(context('agent-d', graph))).toEqual(['c', 'a', 'b']);
  });

  it('reads the edges of Nx 24, which are objects', () => {
    const graph = { 'p:agent-b': [{ id: 'p:agent-a' }], 'p:agent-a': [] };
    expect(upstreamTasks(context('agent-b', graph))).toEqual(['a']);
  });

  it('ends on a circle and is empty without dependencies or without a graph', () => {
    const circle = { 'p:agent-a': ['p:agent-b'], 'p:agent-b': ['p:agent-a'] };
    expect(upstreamTasks(context('agent-a', circle))).toContain('b');
    expect(upstreamTasks(context('agent-a', { 'p:agent-a': [] }))).toEqual([]);
    const bare: Partial<ExecutorContext> = { projectName: 'p', targetName: 'agent-a' };
    expect(upstreamTasks(bare as ExecutorContext)).toEqual([]);
  });
});

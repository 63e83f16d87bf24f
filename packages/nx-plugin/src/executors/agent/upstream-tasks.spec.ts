import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { nxTaskOf, upstreamTasks } from './upstream-tasks';

type Edge = string | { readonly id: string };

function graphOf(dependencies: Readonly<Record<string, readonly Edge[]>>): TaskGraph {
  const tasks: Record<string, object> = {};
  for (const id of Object.keys(dependencies)) {
    const [project = '', name = ''] = id.split(':');
    tasks[id] = { id, target: { project, target: name }, outputs: [], overrides: {} };
  }
  const graph = { tasks, dependencies, roots: [], continuousDependencies: {} };
  return graph as unknown as TaskGraph;
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
    expect(upstreamTasks(graphOf(graph), 'p:agent-d')).toEqual(['c', 'a', 'b']);
  });

  it('reads the edges of Nx 24, which are objects', () => {
    const graph = { 'p:agent-b': [{ id: 'p:agent-a' }], 'p:agent-a': [] };
    expect(upstreamTasks(graphOf(graph), 'p:agent-b')).toEqual(['a']);
  });

  it('ends on a circle and is empty without dependencies', () => {
    const circle = { 'p:agent-a': ['p:agent-b'], 'p:agent-b': ['p:agent-a'] };
    expect(upstreamTasks(graphOf(circle), 'p:agent-a')).toContain('b');
    expect(upstreamTasks(graphOf({ 'p:agent-a': [] }), 'p:agent-a')).toEqual([]);
    expect(upstreamTasks(graphOf({}), 'p:agent-a')).toEqual([]);
  });
});

describe('nxTaskOf', () => {
  const of = (context: Partial<ExecutorContext>): string | null =>
    nxTaskOf(context as ExecutorContext);

  it('is what Nx calls the task, with its configuration', () => {
    expect(of({ projectName: 'p', targetName: 'agent-a' })).toBe('p:agent-a');
    const configurationName = 'ci';
    expect(of({ projectName: 'p', targetName: 'agent-a', configurationName })).toBe('p:agent-a:ci');
    expect(of({ projectName: 'p' })).toBeNull();
  });
});

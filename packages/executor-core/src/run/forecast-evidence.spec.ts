import { nodeFileSystem } from '../adapters/node-file-system';
import { gitAdapter } from '../adapters/simple-git';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { forecastEvidence, parseLog } from './forecast-evidence';

let repository: TestRepository;
beforeAll(async () => {
  repository = await makeRepository({ 'README.md': 'x' });
});
afterAll(() => repository.cleanup());

const tools = (env: NodeJS.ProcessEnv = {}) => ({ git: gitAdapter(), fs: nodeFileSystem(), env });

describe('the evidence for a forecast', () => {
  it('holds the paths of each commit, however they are named, and no merges', async () => {
    await repository.commit({ 'a b/é\n.txt': '1', 'c.txt': '1' }, 'two files\n\nand a body');
    await repository.git(['commit', '--quiet', '--allow-empty', '-m', 'nothing']);
    const { commits, projects } = await forecastEvidence(tools(), repository.root);
    expect(commits).toEqual([[], ['a b/é\n.txt', 'c.txt'], ['README.md']]);
    expect(projects).toBeNull();
  });

  it('takes the project graph that Nx left on disk', async () => {
    const graph = {
      nodes: { web: { data: { root: 'apps/web' } }, lib: { data: { root: 'lib' } } },
      dependencies: { web: [{ target: 'lib' }] },
    };
    await repository.write({ '.nx/workspace-data/project-graph.json': JSON.stringify(graph) });
    await repository.write({ 'elsewhere/project-graph.json': 'damaged' });
    const { projects } = await forecastEvidence(tools(), repository.root);
    expect(projects).toEqual([
      { name: 'web', root: 'apps/web', dependsOn: ['lib'] },
      { name: 'lib', root: 'lib', dependsOn: [] },
    ]);
    const moved = tools({ NX_WORKSPACE_DATA_DIRECTORY: 'elsewhere' });
    expect((await forecastEvidence(moved, repository.root)).projects).toBeNull();
  });

  it('is empty where nothing was committed', () => {
    expect(parseLog('')).toEqual([]);
  });
});

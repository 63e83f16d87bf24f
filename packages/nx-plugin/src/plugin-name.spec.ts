import { join } from 'node:path';
import { installedName } from './plugin-name';
import { tempWorkspace, type TempWorkspace } from './testing/temp-workspace';

const CANONICAL = '@parallel-executor/nx';

describe('installedName', () => {
  let workspace: TempWorkspace;
  const install = (folder: string, name: string): void => {
    workspace.write(join('node_modules', folder, 'package.json'), { name });
  };

  beforeEach(() => {
    workspace = tempWorkspace({ 'libs/a/package.json': { name: 'a' } });
  });
  afterEach(() => {
    workspace.remove();
  });

  it('is the alias when only the alias is installed', () => {
    install('parallel', CANONICAL);
    expect(installedName(workspace.root)).toBe('parallel');
  });

  it('is the package name when both are installed', () => {
    install('parallel', CANONICAL);
    install(CANONICAL, CANONICAL);
    expect(installedName(workspace.root)).toBe(CANONICAL);
  });

  it('is not fooled by the foreign package called parallel', () => {
    install('parallel', 'parallel');
    expect(installedName(workspace.root)).toBe(CANONICAL);
  });

  it('is the package name when nothing is installed', () => {
    expect(installedName(workspace.root)).toBe(CANONICAL);
  });

  it('looks in the folders above, as Node does from a worktree', () => {
    install('parallel', CANONICAL);
    expect(installedName(join(workspace.root, 'libs', 'a'))).toBe('parallel');
  });
});

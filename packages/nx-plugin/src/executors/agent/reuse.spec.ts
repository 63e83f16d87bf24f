import { tempWorkspace, type TempWorkspace } from '../../testing/temp-workspace';
import { isUpToDate, noteKey, resultKey } from './reuse';

describe('the key of a result', () => {
  let workspace: TempWorkspace;
  const key = (entry: string, ...upstream: readonly string[]): string =>
    resultKey(workspace.root, entry, upstream);

  beforeEach(() => {
    workspace = tempWorkspace({
      '.parallel/out/a/changes.patch': 'patch of a',
      '.parallel/out/b/changes.patch': 'patch of b',
    });
  });
  afterEach(() => {
    workspace.remove();
  });

  it('follows the plan entry and the patches below it, in any order', () => {
    expect(key('entry', 'a', 'b')).toBe(key('entry', 'b', 'a'));
    const all = [
      key('entry'),
      key('other'),
      key('entry', 'a'),
      key('entry', 'a', 'b'),
      key('entry', 'c'),
    ];
    const before = key('entry', 'a');
    workspace.write('.parallel/out/a/changes.patch', 'another patch of a');
    expect(new Set([...all, key('entry', 'a')]).size).toBe(all.length + 1);
    workspace.write('.parallel/out/a/changes.patch', 'patch of a');
    expect(key('entry', 'a')).toBe(before);
  });

  it('is noted beside the bundle', () => {
    expect(isUpToDate(workspace.root, 'a', 'k1')).toBe(false);
    noteKey(workspace.root, 'a', 'k1');
    expect(isUpToDate(workspace.root, 'a', 'k1')).toBe(true);
    expect(isUpToDate(workspace.root, 'a', 'k2')).toBe(false);
    noteKey(workspace.root, 'new', 'k1');
    expect(isUpToDate(workspace.root, 'new', 'k1')).toBe(true);
  });
});

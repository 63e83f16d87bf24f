import type { MergeRig } from '../testing/merge-rig';
import { makeMergeRig } from '../testing/merge-rig';
import { createCommitter } from './commit';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

describe('createCommitter', () => {
  let rig: MergeRig;
  let tree: string;

  beforeEach(async () => {
    rig = await makeMergeRig();
    tree = await rig.repo.git(['rev-parse', 'HEAD^{tree}']);
  });
  afterEach(() => rig.cleanup());

  const commit = async (more: { readonly author?: { name: string; email: string } } = {}) => {
    const committer = createCommitter(rig.git, rig.root);
    const parents = [await rig.repo.git(['rev-parse', 'HEAD'])];
    return committer.commit({ tree, parents, message: 'träiler\n\nX: y\n', ...more });
  };
  const show = (id: string, format: string): Promise<string> =>
    rig.repo.git(['log', '-1', `--format=${format}`, id]);

  it('commits as the user, with the message byte for byte and no ref moved', async () => {
    await rig.repo.git(['config', 'i18n.commitEncoding', 'ISO-8859-1']);
    const head = await rig.repo.git(['rev-parse', 'HEAD']);
    const id = await commit();
    expect(await show(id, '%an <%ae> %cn <%ce>')).toBe(
      'Test <test@example.com> Test <test@example.com>',
    );
    expect(await rig.repo.git(['cat-file', 'commit', id])).toMatch(/\n\nträiler\n\nX: y$/);
    expect(await rig.repo.git(['cat-file', 'commit', id])).not.toContain('encoding');
    expect(await show(id, '%P')).toBe(head);
    expect(await rig.repo.git(['rev-parse', 'HEAD'])).toBe(head);
  });

  it('names another author beside the user', async () => {
    const id = await commit({ author: { name: 'agent', email: 'agent@x' } });
    expect(await show(id, '%an <%ae> %cn')).toBe('agent <agent@x> Test');
  });

  it('works where git does not know the user', async () => {
    await rig.repo.git(['config', '--unset', 'user.name']);
    await rig.repo.git(['config', '--unset', 'user.email']);
    await rig.repo.git(['config', 'user.useConfigOnly', 'true']);
    expect(await show(await commit(), '%an %cn')).toBe('Parallel Executor Parallel Executor');
  });
});

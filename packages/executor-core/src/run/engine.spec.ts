import { readdirSync } from 'node:fs';
import { nodeToolbox } from '../create-executor';
import { makeRepository } from '../testing/git-repository';
import { openEngine } from './engine';

it('refuses a repository on a network disk with the reason and the fix, and creates nothing', async () => {
  const repository = await makeRepository({ 'README.md': 'hello\n' });
  try {
    const tools = nodeToolbox();
    const disk = { ...tools.disk, networkName: () => 'NFS' };
    const before = readdirSync(repository.root);
    const refused = await openEngine({ ...tools, disk }, repository.root, 1000).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({
      name: 'UserError',
      kind: 'environment',
      message: expect.stringContaining('network file system (NFS)') as string,
      fix: expect.stringContaining('local disk') as string,
    });
    expect(readdirSync(repository.root)).toEqual(before);
    const engine = await openEngine(tools, repository.root, 1000);
    await engine.leases.close();
  } finally {
    await repository.cleanup();
  }
});

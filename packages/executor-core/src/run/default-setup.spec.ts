import { existsSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { WorktreeSetup } from '../model/task';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';
import { openEngine } from './engine';
import { checksOf, NX_CHECKS } from './verifier';
import { withDefaultSetup } from './default-setup';

/** Real git and real agents on a busy machine. */
jest.setTimeout(60_000);

const UNSAID: WorktreeSetup = { copy: [], link: [], run: [], byDefault: true };

describe('the set-up of worktrees whose plan says nothing about it', () => {
  let rig: RunRig;
  beforeEach(async () => {
    rig = await makeRunRig({ '.gitignore': 'node_modules\n', 'package.json': '{}\n' });
  });
  afterEach(() => rig.done());

  const write = (...names: readonly string[]) =>
    rig.repository.write(Object.fromEntries(names.map((name) => [name, '{}\n'])));
  const linked = async (setup = UNSAID) => {
    const plan = planOf({ tasks: ['a'], settings: { setup } });
    const { settings } = await withDefaultSetup(nodeToolbox(), rig.root, plan);
    return settings.setup.link;
  };

  it.each(['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock'])(
    'links what is installed beside %s',
    async (lockfile) => {
      await write('node_modules/x/index.js', lockfile);
      expect(await linked()).toEqual(['node_modules']);
    },
  );

  it('links nothing without a lockfile we know, or without an installation', async () => {
    await write('node_modules/x/index.js', 'bun.lock');
    expect(await linked()).toEqual([]);
    await rig.repository.git(['clean', '-ffdxq']);
    await write('package-lock.json');
    expect(await linked()).toEqual([]);
  });

  it('links nothing where node_modules is a link, or not ignored', async () => {
    await write('package-lock.json');
    await mkdir(join(rig.root, '../elsewhere'));
    await symlink('../elsewhere', join(rig.root, 'node_modules'));
    expect(await linked()).toEqual([]);
    await rig.repository.git(['clean', '-ffdxq']);
    await write('package-lock.json', 'node_modules/x/index.js', '.gitignore');
    expect(await linked()).toEqual([]);
  });

  it('has the affected projects of an Nx workspace checked', async () => {
    await write('node_modules/.bin/nx', 'package-lock.json', 'nx.json');
    const settings = { setup: UNSAID, verifyByDefault: true } as const;
    const plan = planOf({ tasks: ['a'], settings });
    const engine = await openEngine(nodeToolbox(), rig.root, 30_000);
    expect(await checksOf(engine, plan)).toEqual([]);
    const whole = await withDefaultSetup(engine.tools, rig.root, plan);
    expect(await checksOf(engine, whole)).toEqual(NX_CHECKS);
    await engine.leases.close();
  });

  it('is not touched where the plan says something, be it that there is none', async () => {
    await write('node_modules/x/index.js', 'package-lock.json');
    expect(await linked({ copy: [], link: [], run: [] })).toEqual([]);
  });

  it('gives agents and checks what is installed, and the worktree’s own packages', async () => {
    await rig.repository.commit(
      { 'package-lock.json': '{}\n', 'lib/package.json': '{}\n', 'lib/index.js': '' },
      'lib',
    );
    await rig.repository.write({ 'node_modules/x/index.js': 'module.exports = "x";\n' });
    await symlink('../lib', join(rig.root, 'node_modules/lib'));
    const both = `node -p 'require("lib") + require("x")'`;
    const command = `echo "module.exports = 'mine+';" > lib/index.js; ${both} > lib/said`;
    const { result } = await rig.run({
      agents: [{ command }],
      tasks: [{ id: 'a', writes: ['lib/**'] }],
      settings: { setup: UNSAID, verify: [`test "$(${both})" = mine+x`] },
    });
    expect(result.failures).toEqual([]);
    expect(readFileSync(join(rig.root, 'lib/said'), 'utf8')).toBe('mine+x\n');
  });

  it('fails no attempt for what the commit does not ignore, and lands nothing of it', async () => {
    await rig.repository.commit({ 'package-lock.json': '{}\n', '.gitignore': '' }, 'forgot');
    await write('node_modules/x/index.js');
    // Ignored here, and nowhere else.
    await rig.repository.write({ '.gitignore': 'node_modules\n' });
    const { result } = await rig.run({
      agents: [{ command: 'mkdir a; echo x > a/x; ls -A node_modules > a/seen || true' }],
      tasks: ['a'],
      settings: { setup: UNSAID, land: 'branch' },
    });
    expect(result.failures).toEqual([]);
    const [branch = ''] = (
      await rig.git('branch', '--format=%(refname:short)', '--list', 'parallel/*')
    ).split('\n');
    expect(await rig.git('show', `${branch}:a/seen`)).toBe('');
    expect(await rig.git('ls-tree', '-r', '--name-only', branch)).not.toContain('node_modules');
    expect(existsSync(join(rig.root, 'node_modules/x/index.js'))).toBe(true);
  });
});

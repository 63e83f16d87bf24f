import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

/** A real Nx, twice at once, on a busy machine. */
jest.setTimeout(120_000);

const MODULES = resolve(__dirname, '../../../../node_modules');

describe('Nx in the worktrees of a run', () => {
  let rig: RunRig;
  let home: string;
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'home-'));
    rig = await makeRunRig({
      '.gitignore': 'node_modules\n',
      'package.json': '{"name":"shop","private":true,"nx":{}}\n',
      'nx.json': '{"analytics":false,"neverConnectToCloud":true}\n',
    });
    mkdirSync(join(rig.root, 'node_modules'));
    for (const name of readdirSync(MODULES)) {
      symlinkSync(join(MODULES, name), join(rig.root, 'node_modules', name));
    }
  });
  afterEach(async () => {
    await rig.done();
    rmSync(home, { recursive: true, force: true });
  });

  it('sees its own projects and not those of another agent, and nothing of it lands', async () => {
    const meet = 'touch "$PARALLEL_ROOT/.git/$PARALLEL_TASK_ID"; ';
    const both = 'until test -e "$PARALLEL_ROOT/.git/a" && test -e "$PARALLEL_ROOT/.git/b"';
    const add =
      'echo "{\\"name\\":\\"lib-$PARALLEL_TASK_ID\\"}" > "$PARALLEL_TASK_ID/project.json"; ';
    const show = 'node node_modules/.bin/nx show projects > "$PARALLEL_TASK_ID/seen"';
    const command = `mkdir $PARALLEL_TASK_ID; ${add}${meet}${both}; do sleep 0.02; done; ${show}`;
    const { result } = await rig.run({
      agents: [{ command, env: { HOME: home } }],
      tasks: ['a', 'b'],
      settings: { setup: { copy: [], link: ['node_modules'], run: [] } },
    });
    expect(result.failures).toEqual([]);
    const seen = (task: string) =>
      readFileSync(join(rig.root, task, 'seen'), 'utf8')
        .trim()
        .split('\n')
        .sort();
    expect(seen('a')).toEqual(['lib-a', 'shop']);
    expect(seen('b')).toEqual(['lib-b', 'shop']);
    const landed = await rig.git('diff', '--name-only', 'HEAD~2', 'HEAD');
    expect(landed.split('\n')).toEqual(['a/project.json', 'a/seen', 'b/project.json', 'b/seen']);
  });
});

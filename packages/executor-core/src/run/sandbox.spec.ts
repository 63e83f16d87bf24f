import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bubblewrap } from '../adapters/bubblewrap';
import { nodeToolbox } from '../create-executor';
import { openEngine } from './engine';
import { startRun } from './run';
import type { PlanDraft } from '../testing/plan';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

const FILES = { 'src/a.txt': 'a\n', 'lib/b.txt': 'b\n', 'top.txt': 't\n' };
let missing: string | null = null;

/** Runs where a sandbox can be made; elsewhere says loudly that it did not. */
function sandboxed(name: string, body: () => Promise<void>): void {
  it(
    name,
    async () => {
      if (missing === null) return body();
      // eslint-disable-next-line no-console -- a test that did not run must be seen
      console.warn(`SKIPPED, no sandbox here (${missing}): ${name}`);
    },
    30_000,
  );
}

describe('a sandboxed agent', () => {
  let rig: RunRig;
  let outside: string;

  beforeAll(async () => {
    missing = await bubblewrap().problem();
  });
  beforeEach(async () => {
    rig = await makeRunRig(FILES);
    outside = join(dirname(rig.root), 'outside');
    await mkdir(outside);
  });
  afterEach(() => rig.done());

  const draft = (
    command: string,
    writes: readonly string[],
    more: Partial<PlanDraft> = {},
  ): PlanDraft => ({
    settings: {
      sandbox: 'required',
      retry: { maxRetries: 0, backoff: 'none', baseMs: 1, maxMs: 1 },
    },
    agents: [{ command: ['/bin/sh', '-c', command], env: { OUT: outside } }],
    tasks: [{ id: 'task', writes }],
    ...more,
  });
  const denied = (path: string): string =>
    `if (echo x >> ${path}) 2>/dev/null; then echo "WROTE ${path}"; exit 9; fi`;

  sandboxed('lands what it writes in its write set, in new folders as well', async () => {
    const { result } = await rig.run(
      draft(
        'echo new >> src/a.txt; mkdir -p src/new/deep; echo n > src/new/deep/n; echo m > made/m',
        ['src/**', 'made/**'],
      ),
    );
    expect(result.parallel_execution.status).toBe('completed');
    expect(result.sandbox).toEqual({ task: 'bubblewrap' });
    expect(await rig.git('show', 'main:src/new/deep/n')).toBe('n');
    expect(await rig.git('show', 'main:made/m')).toBe('m');
  });

  sandboxed('can write nowhere else', async () => {
    const places = [
      ...['lib/b.txt', 'top.txt', 'new.txt', '.git', '"$PARALLEL_ROOT/top.txt"'],
      ...['"$PARALLEL_ROOT/.git/config"', '"$PARALLEL_ROOT/.git/hooks/post-checkout"'],
      ...['"$PARALLEL_ROOT/.parallel/current"', '"$OUT/x"', '"$HOME/.planted"', '/etc/planted'],
      ...[
        '"$(git rev-parse --absolute-git-dir)/commondir"',
        '../planted',
        '"$PARALLEL_ROOT/.git/packed-refs"',
      ],
    ];
    const { result } = await rig.run(
      draft(`${places.map(denied).join('\n')}\necho ok >> src/a.txt`, ['src/**']),
    );
    expect(result.failures).toEqual([]);
    expect(await readdir(outside)).toEqual([]);
  });

  sandboxed('may replace a single file, and not the ones beside it', async () => {
    const command = `echo 2 > top.tmp && mv top.tmp top.txt\n${denied('lib/b.txt')}\n${denied('src/a.txt')}`;
    const { result } = await rig.run(draft(command, ['top.txt']));
    expect(result.failures).toEqual([]);
    expect(await rig.git('show', 'main:top.txt')).toBe('2');
  });

  sandboxed('commits with its own git, and harms neither branches nor objects', async () => {
    const command = `export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@x
      echo c >> src/a.txt && git add -A && git commit -qm mine && git log -1 --format=%s
      git branch -D main; git update-ref refs/heads/evil HEAD; rm -rf "$PARALLEL_ROOT/.git/objects"/*; exit 0`;
    const { result } = await rig.run(draft(command, ['src/**']));
    expect(result.failures).toEqual([]);
    expect(await rig.git('show', 'main:src/a.txt')).toBe('a\nc');
    expect(await rig.git('branch', '--list', 'evil')).toBe('');
    await rig.git('fsck', '--strict');
  });

  sandboxed('cannot leave through a link that lies in its write set', async () => {
    await rig.git('rm', '-rq', 'lib');
    await rig.repository.write({ 'keep.txt': '' });
    await symlink(outside, join(rig.root, 'lib'));
    await rig.repository.commit({}, 'a link outwards');
    await rig.run(draft('echo x > lib/x; echo y >> src/a.txt', ['lib/**', 'src/**']));
    expect(await readdir(outside)).toEqual([]);
  });

  sandboxed('takes its processes with it, whatever they did to get away', async () => {
    const command = `(setsid env -i /bin/sh -c 'cd /; exec >/dev/null 2>&1; exec sleep 7654.5' &) ; sleep 0.1; echo ok >> src/a.txt`;
    const { result } = await rig.run(draft(command, ['src/**']));
    expect(result.failures).toEqual([]);
    expect(await commandLines()).not.toContain('7654.5');
  });

  sandboxed('is asked to end before it is made to', async () => {
    const command = `trap 'echo bye > src/bye; exit 0' INT; printf '\\033]9;4;1;5\\007'; while :; do sleep 0.05; done`;
    const run = await rig.start(draft(command, ['src/**']));
    await new Promise<void>((resolve) => {
      run.events.on((event) => {
        if (event.type === 'task:progress') resolve();
      });
      void run.done.then(() => {
        resolve();
      });
    });
    run.stop('stop');
    const result = await run.done;
    expect(result.parallel_execution.status).toBe('stopped');
    // What it left when it was asked is kept, as a candidate.
    const [candidate] = (
      await rig.git('for-each-ref', '--format=%(refname)', 'refs/parallel/*/task/*')
    ).split('\n');
    expect(await rig.git('show', `${candidate ?? ''}:src/bye`)).toBe('bye');
  });

  it('is refused before anything starts where it is required and cannot be had', async () => {
    const tools = nodeToolbox();
    const sandbox = { ...tools.sandbox, problem: () => Promise.resolve('bwrap was not found') };
    const engine = await openEngine({ ...tools, sandbox }, rig.root, 30_000);
    const start = startRun(engine, planOf(draft('true', ['**'])), { frontDoor: 'api' });
    await expect(start).rejects.toThrow('requires a sandbox, but bwrap was not found');
    expect(await readdir(join(rig.root, '.parallel'))).not.toContain('runs');
    await engine.leases.close();
  });

  it('is the audit alone where there is none and none is required, and the report says so', async () => {
    const tools = nodeToolbox();
    const sandbox = { ...tools.sandbox, problem: () => Promise.resolve('bwrap was not found') };
    const engine = await openEngine({ ...tools, sandbox }, rig.root, 30_000);
    const plan = planOf({
      ...draft('echo x >> src/a.txt', ['src/**']),
      settings: { sandbox: 'auto' },
    });
    const run = await startRun(engine, plan, { frontDoor: 'api' });
    expect((await run.done).sandbox).toEqual({ task: 'audit' });
  });
});

/** Command lines of every process of this machine. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return texts.join('\n');
}

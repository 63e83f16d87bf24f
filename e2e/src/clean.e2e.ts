import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rig } from './rig';
import { makeRig, until } from './rig';

interface CleanJson {
  readonly runs: readonly {
    readonly id: string;
    readonly standing: string;
    readonly quarantined: readonly { readonly task: string; readonly refs: readonly string[] }[];
  }[];
  readonly items: readonly {
    readonly id: string;
    readonly kind: string;
    readonly run: string | null;
    readonly role?: string;
    readonly landed?: boolean;
    readonly fate: string;
  }[];
  readonly removed?: readonly { readonly kind: string; readonly saved: string | null }[];
}

/** `a` lands; `b` writes something and fails. */
const ONE_FAILS = `parallel_executor: { default_agent: it, retry_policy: { max_retries: 0 } }
agents:
  it: { adapter: command, command: 'echo work > "$PARALLEL_TASK_ID.txt"; test "$PARALLEL_TASK_ID" = a' }
tasks: { a: { writes: [a.txt] }, b: { writes: [b.txt] } }
`;
const ALL_LAND = ONE_FAILS.replace('= a', '!= none');
/** Writes something, and then waits for a file that the test writes. */
const WAITS = `parallel_executor: { default_agent: it, retry_policy: { max_retries: 0 } }
agents:
  it: { adapter: command, command: 'echo wip > a.txt; echo $$ > "$PARALLEL_ROOT/.git/agent.pid"; while ! test -e "$PARALLEL_ROOT/.git/go"; do sleep 0.05; done' }
tasks: { a: { writes: [a.txt] } }
`;

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

async function clean(...options: readonly string[]): Promise<CleanJson> {
  const { code, stdout, stderr } = await rig.cli('clean', '--json', ...options);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(stdout) as CleanJson;
}

async function run(plan: string, code: number): Promise<string> {
  await rig.repository.commit({ 'parallel.yaml': plan }, 'plan');
  expect((await rig.cli('run')).code).toBe(code);
  return current();
}

async function killed(): Promise<string> {
  await rig.repository.commit({ 'parallel.yaml': WAITS }, 'plan');
  const going = rig.start('run');
  await until(() => rig.has('.git/agent.pid') && pidOfAgent() > 0);
  await rig.journalSays(/process:started/);
  going.child.kill('SIGKILL');
  await going.finished;
  return current();
}

const pidOfAgent = (): number => Number(readFileSync(join(rig.root, '.git/agent.pid'), 'utf8'));
const current = (): string => readFileSync(join(rig.root, '.parallel/current'), 'utf8').trim();
const refs = async (below = 'refs/parallel'): Promise<readonly string[]> =>
  (await rig.git('for-each-ref', '--format=%(refname)', below)).split('\n').filter(Boolean);
/** Everything of git's that a clean could change, and the files of the checkout. */
const state = async (): Promise<string> =>
  [
    await rig.git('for-each-ref'),
    await rig.git('worktree', 'list', '--porcelain'),
    await rig.git('status', '--porcelain=v2', '--branch'),
    await rig.git('stash', 'list'),
    await rig.git('ls-files', '--stage'),
    readFileSync(join(rig.root, '.git/config'), 'utf8'),
  ].join('\n');

/** A stash, a branch, a worktree with work in it, a hook, staged and unstaged changes: all of the user. */
async function usersOwn(): Promise<string> {
  await rig.repository.commit({ 'mine.txt': 'one\n' }, 'mine');
  await rig.write({ 'mine.txt': 'stashed\n' });
  await rig.git('stash');
  const folder = join(rig.root, '..', 'own');
  await rig.git('worktree', 'add', '--quiet', '-b', 'agent-7-own', folder);
  await writeFile(join(folder, 'precious.txt'), 'precious\n');
  await mkdir(join(rig.root, '.worktrees', 'agent-9'), { recursive: true });
  await rig.write({
    '.git/hooks/reference-transaction': '#!/bin/sh\ntouch "$GIT_DIR/hook-ran"\n',
    '.worktrees/agent-9/precious.txt': 'precious\n',
    'staged.txt': 'staged\n',
  });
  await rig.git('add', 'staged.txt');
  await rig.write({ 'staged.txt': 'changed again\n', 'new.txt': 'new\n' });
  return folder;
}

describe('after a run that landed', () => {
  it('shows that its candidates go and changes nothing, then removes them and keeps the last folder', async () => {
    const first = await run(ALL_LAND, 0);
    const before = await state();
    const shown = await rig.cli('clean');
    expect(shown.stdout).toContain(`${first} (completed, `);
    expect(shown.stdout).toContain('- 2 candidates: landed');
    expect(shown.stdout).toContain('Nothing was changed.');
    expect(await state()).toBe(before);
    const { stdout, code } = await rig.cli('clean', '--force');
    expect(code).toBe(0);
    expect(stdout.match(/^removed refs\/parallel\/\S+ \([0-9a-f]{40}\)$/gm)).toHaveLength(3);
    expect(await refs()).toEqual([]);
    expect((await rig.cli('status')).code).toBe(0);
    expect((await rig.cli('clean', '--force')).stdout).toMatch(/^Nothing to remove\./);
    await run(ALL_LAND, 0);
    expect((await rig.cli('clean', '--force')).stdout).toContain(
      `removed folder .parallel/runs/${first}\n`,
    );
    expect(rig.has(`.parallel/runs/${first}`)).toBe(false);
  });

  it('says that nothing is left where nothing ever ran, and makes no folder for it', async () => {
    expect((await rig.cli('clean', '--force')).stdout).toBe('Nothing to remove.\n');
    expect((await rig.cli('clean')).stdout).toBe('Nothing is left of any run.\n');
    expect(rig.has('.parallel') || rig.has('.worktrees')).toBe(false);
  });

  it('does not take work for landed that is on no branch of the user any more', async () => {
    await run(ALL_LAND, 0);
    await rig.git('reset', '--quiet', '--hard', 'HEAD~2');
    const work = (await refs()).filter((ref) => !ref.startsWith('refs/parallel/fence/'));
    await rig.cli('clean', '--force');
    expect(await refs()).toEqual(work);
    expect(work).toHaveLength(3);
  });
});

describe('after a run with a task that failed for good', () => {
  it('lists the task with the ref that keeps its work, and --force leaves that alone', async () => {
    const id = await run(ONE_FAILS, 1);
    const { runs, items } = await clean();
    const [ref = ''] = runs[0]?.quarantined[0]?.refs ?? [];
    expect(runs).toMatchObject([{ id, standing: 'failed', quarantined: [{ task: 'b' }] }]);
    expect(await rig.git('show', `${ref}:b.txt`)).toBe('work');
    expect(items).toContainEqual(expect.objectContaining({ ref, fate: 'stays', landed: false }));
    await clean('--force');
    expect(await refs()).toEqual([`refs/parallel/${id}/_integration`, ref]);
    expect((await clean('--force')).removed).toEqual([]);
    expect((await rig.cli('retry', 'b')).code).toBe(1);
  });

  it('removes it with --unlanded after its id was shown, and git brings it back', async () => {
    const id = await run(ONE_FAILS, 1);
    const [ref = ''] = (await clean()).runs[0]?.quarantined[0]?.refs ?? [];
    const commit = await rig.git('rev-parse', ref);
    const before = await state();
    expect((await rig.cli('clean', '--unlanded')).stdout).toContain(`- ${ref} (${commit})`);
    expect(await state()).toBe(before);
    const { stderr, stdout } = await rig.cli('clean', '--unlanded', '--force');
    expect(stderr).toContain(`${ref} (${commit})`);
    expect(stdout).toContain(`removed ${ref} (${commit})`);
    expect(await refs()).toEqual([]);
    await rig.git('branch', 'back', commit);
    expect(await rig.git('show', 'back:b.txt')).toBe('work');
    expect(rig.has(`.parallel/runs/${id}`)).toBe(true);
    await clean('--force', '--run', id);
    expect(rig.has(`.parallel/runs/${id}`)).toBe(false);
    expect((await clean()).runs).toEqual([]);
  });
});

describe('a run that was killed', () => {
  it('is left for resume, and --force does not touch it', async () => {
    const id = await killed();
    const before = await state();
    expect((await rig.cli('clean')).stdout).toContain(`parallel-cli resume ${id} goes on from it`);
    expect((await clean('--force', '--unlanded')).removed).toEqual([]);
    // Nobody has the checkout any more, so nobody may land in it.
    expect(await state()).toBe(before.replace(/^.*\trefs\/parallel\/fence\/.*\n/m, ''));
    await rig.write({ '.git/go': '' });
    expect((await rig.cli('resume')).code).toBe(0);
    expect(readFileSync(join(rig.root, 'a.txt'), 'utf8')).toBe('wip\n');
    await clean('--force');
    expect([rig.worktrees(), await refs()]).toEqual([[], []]);
  });

  it('is given up by name: its work is saved first, and goes only when it was shown', async () => {
    const id = await killed();
    const { stdout } = await rig.cli('clean', '--force', '--run', id);
    const [, saved = ''] = /what was only there is now (\S+)/.exec(stdout) ?? [];
    expect(await rig.git('show', `${saved}:a.txt`)).toBe('wip');
    expect(rig.worktrees()).toEqual([]);
    expect(await refs()).toEqual([saved]);
    expect(await refs('refs/heads')).toEqual(['refs/heads/main']);
    expect((await clean('--run', id)).items).toMatchObject([
      { kind: 'ref', fate: 'asked' },
      { kind: 'folder', fate: 'asked' },
    ]);
    await clean('--force', '--run', id);
    expect([await refs(), existsSync(join(rig.root, '.parallel/runs', id))]).toEqual([[], false]);
  });
});

describe('what is not ours', () => {
  it('is as it was after everything was cleaned', async () => {
    const id = await run(ONE_FAILS, 1);
    const folder = await usersOwn();
    const ours = (text: string): string => text.replace(/^.*refs\/parallel\/.*\n/gm, '');
    const before = ours(await state());
    await clean('--force', '--unlanded');
    await clean('--force', '--run', id);
    expect(await refs()).toEqual([]);
    expect(ours(await state())).toBe(before);
    expect(readFileSync(join(folder, 'precious.txt'), 'utf8')).toBe('precious\n');
    expect(rig.has('.worktrees/agent-9/precious.txt')).toBe(true);
    expect(rig.has('.git/hook-ran')).toBe(false);
  });

  it('is also a run of another checkout of the repository', async () => {
    await rig.repository.commit({ 'parallel.yaml': ONE_FAILS }, 'plan');
    const other = join(rig.root, '..', 'other');
    await rig.git('worktree', 'add', '--quiet', '-b', 'other', other);
    expect((await rig.cliIn(other, 'run')).code).toBe(1);
    const before = await refs();
    expect((await rig.cli('clean')).stdout).toContain(`the run belongs to ${other}; clean there`);
    await clean('--force', '--unlanded');
    expect(await refs()).toEqual(before);
    const [first = ''] = before;
    const named = await rig.cli('clean', '--force', '--run', first.split('/')[2] ?? '');
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining(other)]);
  });
});

it('refuses while a run is at work, and shows what is there all the same', async () => {
  await rig.repository.commit({ 'parallel.yaml': WAITS }, 'plan');
  const going = rig.start('run');
  await until(() => rig.has('.git/agent.pid') && pidOfAgent() > 0);
  await rig.journalSays(/process:started/);
  for (const options of [[], ['--unlanded'], ['--run', current()]]) {
    expect((await rig.cli('clean', '--force', ...options)).code).toBe(4);
  }
  expect((await rig.cli('clean')).stdout).toContain('the run goes on');
  await rig.write({ '.git/go': '' });
  expect((await going.finished).code).toBe(0);
});

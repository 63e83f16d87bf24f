import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from './rig';
import { makeRig, until } from './rig';

/**
 * Appends a line per step and goes on where its file stands. The first attempt gets as far as line 3 and
 * then waits for ever.
 */
const WORKER = `touch a.txt
n=$(wc -l < a.txt)
echo "attempt $PARALLEL_ATTEMPT begins at line $((n + 1)), resumed from \${PARALLEL_RESUMED_FROM:-nothing}" >> "$PARALLEL_ROOT/.git/agents.log"
while [ "$n" -lt 6 ]; do
  n=$((n + 1))
  echo "line $n of attempt $PARALLEL_ATTEMPT" >> a.txt
  if [ "$PARALLEL_ATTEMPT" = 1 ] && [ "$n" = 3 ]; then
    touch "$PARALLEL_ROOT/.git/halfway"
    while :; do sleep 0.05; done
  fi
done
`;
const HALFWAY = ['line 1 of attempt 1', 'line 2 of attempt 1', 'line 3 of attempt 1'];
const CONTINUED = [...HALFWAY, ...[4, 5, 6].map((n) => `line ${n} of attempt 2`)];
const ANEW = [1, 2, 3, 4, 5, 6].map((n) => `line ${n} of attempt 2`);

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

/** Starts a run of one task; resolves when its agent has written line 3. */
async function runHalfway(resume: string, settings = ''): Promise<ReturnType<Rig['start']>> {
  const plan = `parallel_executor: { default_agent: worker${settings} }
agents: { worker: { command: sh worker.sh, resume: ${resume} } }
tasks: { a: { prompt: Count to six., writes: [a.txt] } }
`;
  await rig.repository.commit({ 'parallel.yaml': plan, 'worker.sh': WORKER }, 'plan');
  const run = rig.start('run');
  await until(() => rig.has('.git/halfway'));
  return run;
}

const landed = async (): Promise<string[]> => (await rig.git('show', 'HEAD:a.txt')).split('\n');
const agents = (): string[] =>
  readFileSync(join(rig.root, '.git/agents.log'), 'utf8').trim().split('\n');
const refs = async (): Promise<string[]> =>
  (await rig.git('for-each-ref', '--format=%(refname)', 'refs/parallel/')).split('\n');
const kept = async (name: string): Promise<string> =>
  (await refs()).find((ref) => ref.includes(`/a/${name}`)) ?? `no ref ${name}`;

describe('a run whose process is killed while an agent works', () => {
  it('goes on from what was in the worktree, with resume: wip', async () => {
    const run = await runHalfway('wip');
    run.child.kill('SIGKILL');
    await run.finished;
    const { code, stderr } = await rig.cli('resume', '--progress=plain');
    expect(code).toBe(0);
    expect(await landed()).toEqual(CONTINUED);
    const salvage = await kept('salvage-');
    const commit = await rig.git('rev-parse', salvage);
    expect(agents()[1]).toBe(`attempt 2 begins at line 4, resumed from ${commit}`);
    expect(stderr).toContain(`attempt 2, goes on from ${commit.slice(0, 10)}`);
    const folder = join(rig.root, '.parallel/runs', salvage.split('/')[2] ?? '', 'tasks/a');
    const feedback = readFileSync(join(folder, 'attempt-2/feedback.md'), 'utf8');
    expect(feedback).toContain(
      `You start from the work of attempt 1 (${commit}), which was interrupted: go on from there.`,
    );
    expect(rig.worktrees()).toEqual([]);
    expect(await rig.git('status', '--porcelain')).toBe('');
  });

  it('begins anew with resume: fresh, keeps the work under a ref and tells where', async () => {
    const run = await runHalfway('fresh');
    run.child.kill('SIGKILL');
    await run.finished;
    expect((await rig.cli('resume')).code).toBe(0);
    expect(await landed()).toEqual(ANEW);
    expect(agents()[1]).toBe('attempt 2 begins at line 1, resumed from nothing');
    const salvage = await kept('salvage-');
    expect((await rig.git('show', `${salvage}:a.txt`)).split('\n')).toEqual(HALFWAY);
    await rig.journalSays(new RegExp(`"type":"attempt:failed".*"salvage":"${salvage}"`));
  });

  it('goes on from the last checkpoint when the worktree is gone', async () => {
    const run = await runHalfway('wip', ', checkpoint_interval: 100ms');
    await until(() => existsSync(join(rig.root, '.worktrees/agent-1/a.txt')));
    for (;;) {
      const text = await rig.git('show', `${await kept('wip-1')}:a.txt`).catch(() => '');
      if (text.split('\n').length === 3) break;
    }
    run.child.kill('SIGKILL');
    await run.finished;
    rmSync(join(rig.root, '.worktrees/agent-1'), { recursive: true });
    const checkpoint = await rig.git('rev-parse', await kept('wip-1'));
    expect((await rig.cli('resume')).code).toBe(0);
    expect(await landed()).toEqual(CONTINUED);
    expect(agents()[1]).toBe(`attempt 2 begins at line 4, resumed from ${checkpoint}`);
    expect(await kept('wip-2')).toBe('no ref wip-2');
  });

  it('goes on from the first attempt’s work when the second is killed before it wrote', async () => {
    const run = await runHalfway('wip');
    run.child.kill('SIGKILL');
    await run.finished;
    await rig.repository.write({ '.git/killer.js': KILLER });
    const before = process.env;
    process.env = { ...before, NODE_OPTIONS: `--require ${JSON.stringify(killer())}` };
    const second = await rig.start('resume').finished;
    process.env = before;
    expect(second.code).toBe(137);
    expect((await rig.cli('resume')).code).toBe(0);
    expect((await landed()).slice(0, 3)).toEqual(HALFWAY);
    expect(agents().at(-1)).toMatch(/^attempt \d begins at line 4, resumed from [0-9a-f]{40}$/);
  });
});

describe('a run that is stopped while an agent works', () => {
  it('goes on from what was in the worktree, with resume: session', async () => {
    const run = await runHalfway('session');
    run.child.kill('SIGINT');
    await rig.journalSays(/"mode":"draining"/);
    run.child.kill('SIGINT');
    expect((await run.finished).code).toBe(130);
    expect((await rig.cli('resume')).code).toBe(0);
    expect(await landed()).toEqual(CONTINUED);
  });
});

const killer = (): string => join(rig.root, '.git/killer.js');
/** Loaded before the command line: kills it right after it has journalled the start of an attempt. */
const KILLER = `const fs = require('node:fs');
const { writeSync } = fs;
fs.writeSync = (fd, data, ...rest) => {
  const written = writeSync(fd, data, ...rest);
  if (String(data).includes('"type":"task:started"')) process.kill(process.pid, 'SIGKILL');
  return written;
};
`;

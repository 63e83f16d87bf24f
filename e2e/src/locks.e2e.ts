import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Rig } from './rig';
import { makeRig, until } from './rig';

const WORKSPACE = resolve(__dirname, '../..');
const CLI = join(WORKSPACE, 'packages/cli/bin/parallel-cli.js');

/** `asks` holds a/** and asks for more while `holds` has b/**; each waits for the test's word. */
const PLAN = `parallel_executor: { default_agent: shell, retry_policy: { max_retries: 0 } }
agents: { shell: { adapter: command, command: 'sh "$PARALLEL_ROOT/.parallel/$PARALLEL_TASK_ID.sh"' } }
tasks: { asks: { writes: [a/**] }, holds: { writes: [b/**] } }
`;
const WAIT = 'while ! test -e "$PARALLEL_ROOT/.parallel/go"; do sleep 0.05; done';
const SCRIPTS = {
  '.parallel/asks.sh': `
    ask() { "${process.execPath}" "${CLI}" locks request "$1" > "$PARALLEL_ROOT/.parallel/$2" 2>&1; echo "exit $?" >> "$PARALLEL_ROOT/.parallel/$2"; }
    touch "$PARALLEL_ROOT/.parallel/asks.started"
    while ! test -e "$PARALLEL_ROOT/.parallel/holds.started"; do sleep 0.05; done
    ask "b/x" refused; ask "../out" bad; ask "c/**" granted; touch "$PARALLEL_ROOT/.parallel/asked"
    ${WAIT}; mkdir -p a c; echo 1 > a/1; echo 1 > c/1`,
  '.parallel/holds.sh': `touch "$PARALLEL_ROOT/.parallel/holds.started"; ${WAIT}; mkdir -p b; echo 1 > b/1`,
};

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

const said = (name: string): string => readFileSync(join(rig.root, '.parallel', name), 'utf8');

describe('locks', () => {
  it('are shown when there are none, and refuse to be widened outside an agent', async () => {
    const { code, stdout } = await rig.cli('locks');
    expect([code, stdout]).toEqual([0, 'Nobody holds a lock here, and nobody waits for one.\n']);
    const asked = await rig.cli('locks', 'request', 'src/**');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('in the plan');
    expect(existsSync(join(rig.root, '.parallel'))).toBe(false);
  });

  it('show who holds what, and give a working agent more room if nobody has it', async () => {
    await rig.repository.commit({ 'parallel.yaml': PLAN }, 'plan');
    await rig.write({ '.parallel/.gitignore': '*\n', ...SCRIPTS });
    const run = rig.start('run');
    await until(() => rig.has('.parallel/asked'));

    expect(said('refused')).toBe('Not granted: b/x is held by holds (agent-2).\nexit 3\n');
    expect(said('bad')).toMatch(/exit 2\n$/);
    expect(said('granted')).toBe('Granted: asks may now write c/**.\nexit 0\n');
    await rig.journalSays(/task:widened/);
    const { stdout } = await rig.cli('locks', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      held: expect.arrayContaining([
        expect.objectContaining({ task: 'asks', agent: 'agent-1', writes: ['a/**', 'c/**'] }),
        expect.objectContaining({ task: 'holds', agent: 'agent-2', alive: true }),
      ]) as unknown,
      waiting: [],
    });
    expect((await rig.cli('locks')).stdout).toMatch(/asks \(agent-1\) holds since .*token \d+/);

    await rig.write({ '.parallel/go': '' });
    expect((await run.finished).code).toBe(0);
    expect(rig.has('c/1')).toBe(true);
    expect((await rig.cli('locks')).stdout).toContain('Nobody holds a lock');
  });

  it('go with a task into its next attempt', async () => {
    const script = `
      if [ "$PARALLEL_ATTEMPT" = 1 ]; then "${process.execPath}" "${CLI}" locks request "c/**" && exit 9; fi
      mkdir -p c; echo 1 > c/1`;
    const plan = PLAN.replace('max_retries: 0', 'max_retries: 1, backoff: none').replace(
      ', holds: { writes: [b/**] }',
      '',
    );
    await rig.repository.commit({ 'parallel.yaml': plan }, 'plan');
    await rig.write({ '.parallel/.gitignore': '*\n', '.parallel/asks.sh': script });
    const { code, stderr } = await rig.cli('run', '--progress=plain');
    expect([code, stderr]).toEqual([0, expect.stringContaining('attempt 2')]);
    expect(rig.has('c/1')).toBe(true);
  });

  it('have one holder at a time, whoever is killed or stopped while it holds or leads', async () => {
    // A gate runs beside other things: how fast a lease passes on is the long soak's to measure.
    const args = [
      'tools/soak/locks.mjs',
      '--rounds',
      '20',
      '--processes',
      '4',
      '--within',
      '10000',
    ];
    const { code, text } = await new Promise<{ code: number; text: string }>((done) => {
      const child = execFile(process.execPath, args, { cwd: WORKSPACE }, (_, stdout, stderr) => {
        done({ code: child.exitCode ?? -1, text: stdout + stderr });
      });
    });
    expect([code, text]).toEqual([0, expect.any(String) as unknown]);
  }, 120_000);
});

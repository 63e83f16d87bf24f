import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EventOf, RunEvent, RunResult } from '@parallel-executor/core';
import type { Finished, Rig } from './rig';
import { makeRig } from './rig';

const CLI = resolve(__dirname, '../../packages/cli/bin/parallel-cli.js');

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.done();
});

/** Scripts are files of the repository, so that a plan is as short as a person's. */
async function plan(
  yaml: string,
  scripts: Readonly<Record<string, string>>,
  settings = '',
): Promise<void> {
  const text = `parallel_executor:
  default_agent: worker
  retry_policy: { max_retries: 1, backoff: none }
${settings}agents: { worker: { adapter: command, command: sh worker.sh } }
${yaml}`;
  await rig.repository.commit({ 'parallel.yaml': text, ...scripts }, 'plan');
}

const HEALER = '  healer: { command: sh healer.sh }\n';
const TASK = (more = ''): string =>
  `tasks: { a: { prompt: Write a., writes: ['a/**'], ${more} } }\n`;

function resultOf({ stdout }: Finished): RunResult {
  return JSON.parse(stdout) as RunResult;
}

function eventsOf({ stdout }: Finished): readonly RunEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as RunEvent);
}

describe('a healer named in the plan', () => {
  it('mends what the checks found, and the work lands without a retry', async () => {
    await plan(
      TASK(`verify: ['grep -q "import x" a/x']`),
      {
        'worker.sh': 'mkdir -p a; echo "use x" > a/x',
        'healer.sh':
          'grep -q "Command: grep" "$PARALLEL_FEEDBACK_FILE" && echo "import x" >> a/x; echo the import was missing',
      },
      HEALER,
    );
    const { code, stderr } = await rig.cli('run', '--progress=plain');
    expect(code).toBe(0);
    expect(await rig.git('show', 'HEAD:a/x')).toBe('use x\nimport x');
    expect(stderr).toContain('healing  a  (healer)');
    expect(stderr).toContain('healed  a  (fixed, the import was missing)');
    expect(stderr).toMatch(/landed {2}a {2}\(attempt 1, mended by healer, /);
    expect(rig.worktrees()).toEqual([]);
  });

  it('leaves a story when the task fails all the same, with the work of every attempt', async () => {
    await plan(
      TASK(`verify: ['grep -q gold a/x']`),
      {
        'worker.sh': 'mkdir -p a; echo "$PARALLEL_ATTEMPT" >> a/x; echo no gold found',
        'healer.sh': 'echo lead >> a/x; echo only lead here',
      },
      HEALER,
    );
    const run = await rig.cli('run', '--json', '--progress=plain');
    expect(run.code).toBe(1);
    const [failure] = resultOf(run).failures;
    expect(failure).toMatchObject({ task: 'a', attempt: 2, class: 'verify-failed' });
    expect(failure?.attempts).toMatchObject([
      {
        attempt: 1,
        class: 'verify-failed',
        message: 'check failed on the worktree: grep -q gold a/x',
        healer: { profile: 'healer', outcome: 'fixed', note: 'only lead here' },
      },
      { attempt: 2, class: 'verify-failed', healer: null },
    ]);
    const kept = await Promise.all(
      (failure?.attempts ?? []).map(({ salvage }) => rig.git('show', `${salvage ?? ''}:a/x`)),
    );
    expect(kept).toEqual(['1\nlead', '1\nlead\n2']);
    for (const { log } of failure?.attempts ?? []) {
      expect(readFileSync(join(rig.root, log ?? ''), 'utf8')).toBe('no gold found\n');
    }
    const summary = (await rig.cli('run', '--progress=none')).stdout;
    expect(summary).toMatch(
      /attempt 1: verify-failed: [^\n]*; healer healer: fixed \("only lead here"\); work kept in refs\/parallel\//,
    );
    expect(summary).toMatch(/attempt 2: verify-failed: [^\n]*; work kept in refs\/parallel\//);
  });

  it('is not lost by kill -9: the run goes on from the mended work', async () => {
    await plan(
      TASK(),
      {
        'worker.sh': `case $PARALLEL_ATTEMPT in
1) mkdir -p a; echo one > a/x; exit 3;;
2) while :; do sleep 0.1; done;;
*) cat a/x > a/seen;;
esac`,
        'healer.sh': 'echo mended >> a/x',
      },
      HEALER,
    );
    const run = rig.start('run');
    await rig.journalSays(/task:started[^]*task:healed[^]*task:started[^]*process:started/);
    run.child.kill('SIGKILL');
    await run.finished;
    expect((await rig.cli('resume')).code).toBe(0);
    expect(await rig.git('show', 'HEAD:a/seen')).toBe('one\nmended');
    expect(rig.worktrees()).toEqual([]);
  });
});

describe('an agent that asks to be left alone', () => {
  it('is left alone for as long as it says, at no cost', async () => {
    await plan(
      TASK(),
      {
        'worker.sh': `[ $PARALLEL_ATTEMPT -gt 2 ] && mkdir a && echo x > a/x && exit 0
echo 'retry-after: 0.4'; exit 75`,
      },
      '',
    );
    const run = await rig.cli('run', '--progress=json');
    expect(run.code).toBe(0);
    const retries = eventsOf(run).filter(
      (event): event is EventOf<'task:retrying'> => event.type === 'task:retrying',
    );
    expect(retries.map(({ retryAt, at }) => retryAt - at)).toEqual([400, 400]);
  });
});

describe('an agent with nothing to do', () => {
  it('says so through the CLI, and its reason is shown', async () => {
    await plan(TASK('noop: refuse'), {
      'worker.sh': `[ $PARALLEL_ATTEMPT = 1 ] || "${process.execPath}" "${CLI}" progress --noop "a is there already"`,
    });
    const run = await rig.cli('run', '--progress=plain');
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('changed nothing and did not declare a no-op');
    expect(run.stderr).toContain('no change: a is there already');
  });
});

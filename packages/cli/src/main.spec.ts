import { planOf } from '@parallel-executor/core/testing';
import type { Diagnostic } from '@parallel-executor/core';
import { UserError } from '@parallel-executor/core';
import { main } from './main';
import { FakeOut, FakeWorld, fakeWorkspace, loaded } from './testing/fake-world';

function cli(world: FakeWorld, ...words: readonly string[]): Promise<number> {
  return main(['node', 'parallel-cli', ...words], world);
}

const broken: Diagnostic = {
  code: 'PLAN001',
  severity: 'error',
  message: 'tasks is missing',
  fix: 'Add it.',
  file: 'parallel.yaml',
  line: 1,
  column: 1,
  length: 1,
};

describe('help and version', () => {
  it('answer on stdout with exit code 0 and open nothing', async () => {
    for (const words of [['--help'], ['help', 'run'], ['run', '--help'], ['--version']]) {
      const world = new FakeWorld();
      expect(await cli(world, ...words)).toBe(0);
      expect(world.stdout.text).not.toBe('');
      expect(world.stderr.text).toBe('');
      expect(world.opened).toEqual([]);
    }
  });

  it('of every command begins with an example of that command', async () => {
    const overview = new FakeWorld();
    await cli(overview, '--help');
    const names = [...overview.stdout.text.matchAll(/^ {2}([a-z]+) .*/gm)]
      .map((match) => match[1])
      .filter((name) => name !== 'help' && name !== 'parallel');
    expect(names).toEqual(
      expect.arrayContaining([
        'init',
        'plan',
        'run',
        'status',
        'pause',
        'resume',
        'agents',
        'retry',
        'barrier',
        'kill',
        'logs',
        'explain',
        'progress',
      ]),
    );
    for (const name of names) {
      const world = new FakeWorld();
      expect(await cli(world, String(name), '--help')).toBe(0);
      expect(world.stdout.text).toMatch(
        new RegExp(`^For example:\n  parallel-cli ${String(name)}`),
      );
    }
  });

  it('is shown, as an error, when no command is given', async () => {
    const world = new FakeWorld();
    expect(await cli(world)).toBe(2);
    expect(world.stderr.text).toContain('Usage: parallel-cli');
    expect(world.stdout.text).toBe('');
  });
});

describe('wrong usage', () => {
  it.each([
    [['statsu'], 'Did you mean status?'],
    [['status', '--wach'], 'Did you mean --watch?'],
    [['run', '--squash', '--merge-commits'], 'cannot be used with'],
    [['run', '--land', 'nowhere'], 'Allowed choices'],
    [['run', '--agents', '0'], 'at least 1'],
    [['run', '--agents', 'many'], 'at least 1'],
    [['run', '--progress', 'loud'], 'tty'],
    [['--color', 'pink', 'status'], 'always'],
    [['kill'], 'Whom?'],
    [['kill', 'agent-1', '--all'], 'not both'],
    [['agents'], 'n'],
    [['agents', 'many'], 'at least 1'],
    [['retry'], 'Which task?'],
    [['retry', 'a', 'PEXEC-1', 'b'], 'Which task?'],
    [['retry', '--all', 'PEXEC-1', 'b'], 'at most a run'],
    [['barrier'], 'Usage: parallel-cli barrier'],
    [['barrier', 'wait'], 'name'],
    [['barrier', 'wait', 'one', '--timeout', 'soon'], 'no duration'],
    [['progress', '140'], 'not a per cent'],
    [['progress'], 'Which per cent?'],
    [['progress', '40', '--noop', 'why'], 'no per cent'],
    [['progress', '--usd', '-1'], 'no amount for --usd'],
    [['status', 'a', 'b'], 'too many arguments'],
    [['-C', '/no/such/folder', 'status'], 'no folder'],
  ])('%j ends with 2, says what is wrong, and touches nothing', async (words, text) => {
    const world = new FakeWorld();
    expect(await cli(world, ...words)).toBe(2);
    expect(world.stderr.text).toContain(text);
    expect(world.stdout.text).toBe('');
  });

  it('of run with a goal explains that a plan is needed, and how to write one', async () => {
    const world = new FakeWorld();
    expect(await cli(world, 'run', 'build a landing page')).toBe(2);
    expect(world.stderr.text).toContain('planner agent');
    expect(world.stderr.text).toContain('parallel-cli init');
  });

  it('of run with a missing plan file names the file', async () => {
    const world = new FakeWorld();
    expect(await cli(world, 'run', 'missing.yaml')).toBe(2);
    expect(world.stderr.text).toContain('There is no plan file missing.yaml');
  });
});

describe('errors of the engine', () => {
  it.each([
    ['busy', 4],
    ['usage', 2],
    ['environment', 2],
  ] as const)('of kind %s end with %i and tell the fix, without a stack', async (kind, code) => {
    const world = new FakeWorld(
      fakeWorkspace({ reader: () => Promise.reject(new UserError(kind, 'It is so.', 'Do that.')) }),
    );
    expect(await cli(world, 'status')).toBe(code);
    expect(world.stderr.text).toBe('error: It is so.\nDo that.\n');
  });

  it('that are bugs are not swallowed', async () => {
    const world = new FakeWorld(
      fakeWorkspace({ reader: () => Promise.reject(new Error('Internal error: oops')) }),
    );
    await expect(cli(world, 'status')).rejects.toThrow('oops');
  });
});

describe('plan', () => {
  const plan = planOf({
    db: {},
    api: { dependsOn: ['db'], writes: ['src/**'] },
    ui: { dependsOn: ['db'], writes: ['src/ui/**'] },
  });

  it('prints levels, conflicts, numbers and warnings on stdout', async () => {
    const world = new FakeWorld(fakeWorkspace({ loadPlan: () => Promise.resolve(loaded(plan)) }));
    expect(await cli(world, 'plan')).toBe(0);
    expect(world.stdout.text).toContain('1. db');
    expect(world.stdout.text).toContain('api and ui  (write/write): one after the other');
    expect(world.stdout.text).toContain('Work W = 3 tasks, span S = 2 tasks, W/S = 1.5');
    expect(world.stdout.text).toContain('Estimated speed-up: 1x');
    expect(world.stdout.text).toContain('4 agents are allowed');
    expect(world.stdout.text).not.toContain('\u001B');
  });

  it('as JSON is one object, the same for run --dry-run', async () => {
    const answers = await Promise.all(
      [
        ['plan', '--json'],
        ['run', '--dry-run', '--json'],
      ].map(async (words) => {
        const world = new FakeWorld(
          fakeWorkspace({ loadPlan: () => Promise.resolve(loaded(plan)) }),
        );
        expect(await cli(world, ...words)).toBe(0);
        return JSON.parse(world.stdout.text) as Record<string, unknown>;
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ schemaVersion: 1, work: 3, span: 2 });
  });

  it('passes the file and the number of agents on', async () => {
    const asked: unknown[] = [];
    const workspace = fakeWorkspace({
      loadPlan: (options) => {
        asked.push(options);
        return Promise.resolve(loaded(plan));
      },
    });
    await cli(new FakeWorld(workspace), 'plan', '--plan', 'other.yaml', '--agents', '7');
    await cli(new FakeWorld(workspace), 'plan');
    expect(asked).toEqual([{ file: 'other.yaml', maxAgents: 7 }, {}]);
  });

  it('of an invalid plan shows the mistakes on stderr and ends with 2; run does too', async () => {
    for (const words of [['plan'], ['run'], ['run', '--dry-run']]) {
      const world = new FakeWorld(
        fakeWorkspace({
          loadPlan: () =>
            Promise.resolve({
              ok: false,
              diagnostics: [broken],
              text: 'a: 1',
              file: 'parallel.yaml',
            }),
        }),
      );
      expect(await cli(world, ...words)).toBe(2);
      expect(world.stderr.text).toContain('parallel.yaml:1:1: error[PLAN001]: tasks is missing');
      expect(world.stdout.text).toBe('');
    }
  });
});

describe('progress', () => {
  it('reports a number, or a note alone', async () => {
    const reports: unknown[] = [];
    const world = new FakeWorld(
      fakeWorkspace({
        reportProgress: (percent, note) => {
          reports.push([percent, note]);
          return Promise.resolve();
        },
      }),
    );
    expect(await cli(world, 'progress', '40', 'wiring routes')).toBe(0);
    expect(await cli(world, 'progress', '-', 'thinking')).toBe(0);
    expect(await cli(world, 'progress', '99.5%')).toBe(0);
    expect(reports).toEqual([
      [40, 'wiring routes'],
      [null, 'thinking'],
      [99.5, ''],
    ]);
    expect(world.stdout.text).toBe('');
  });

  it('declares that nothing is to be changed', async () => {
    const reasons: string[] = [];
    const world = new FakeWorld(
      fakeWorkspace({
        declareNoop: (reason) => {
          reasons.push(reason);
          return Promise.resolve();
        },
      }),
    );
    expect(await cli(world, 'progress', '--noop', 'all routes are wired')).toBe(0);
    expect(reasons).toEqual(['all routes are wired']);
  });

  it('tells what the work has cost, alone or beside a number', async () => {
    const told: unknown[] = [];
    const world = new FakeWorld(
      fakeWorkspace({
        declareCost: (cost) => {
          told.push(cost);
          return Promise.resolve();
        },
        reportProgress: (percent) => {
          told.push(percent);
          return Promise.resolve();
        },
      }),
    );
    expect(await cli(world, 'progress', '--usd', '0.42', '--tokens', '12000')).toBe(0);
    expect(await cli(world, 'progress', '50', '--tokens', '7')).toBe(0);
    expect(told).toEqual([{ usd: 0.42, tokens: 12000 }, { usd: null, tokens: 7 }, 50]);
  });
});

describe('init', () => {
  it('says whether it wrote the plan', async () => {
    for (const [created, text] of [
      [true, 'Created'],
      [false, 'exists already'],
    ] as const) {
      const world = new FakeWorld(
        fakeWorkspace({
          initPlan: () => Promise.resolve({ path: '/repo/parallel.yaml', created }),
        }),
      );
      expect(await cli(world, 'init')).toBe(0);
      expect(world.stdout.text).toContain(text);
      expect(world.stdout.text).toContain('parallel.yaml');
    }
  });
});

it('a stdout that was closed ends nothing', async () => {
  const stdout = new FakeOut();
  const plan = planOf({ a: {} });
  const world = new FakeWorld(fakeWorkspace({ loadPlan: () => Promise.resolve(loaded(plan)) }), {
    stdout,
  });
  stdout.close();
  expect(await cli(world, 'plan')).toBe(0);
});

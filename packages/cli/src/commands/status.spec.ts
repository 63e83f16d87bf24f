import {
  failed,
  landed,
  planOf,
  runStarted,
  second,
  started,
} from '@parallel-executor/core/testing';
import { mkdtemp, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '@parallel-executor/core';
import { parseTaskId } from '@parallel-executor/core';
import { main } from '../main';
import { FakeOut, FakeReader, FakeWorld, fakeWorkspace } from '../testing/fake-world';

const plan = planOf({ db: {}, api: { dependsOn: ['db'] }, ui: {} });
const journal: readonly RunEvent[] = [
  runStarted(plan),
  ...started('db', 1, 0),
  ...started('ui', 2, 0),
];

function look(events: readonly RunEvent[], stdout = new FakeOut()) {
  const reader = new FakeReader(plan, [...events]);
  const world = new FakeWorld(fakeWorkspace({ reader: () => Promise.resolve(reader) }), { stdout });
  world.time = second(10);
  const cli = (...words: readonly string[]) => main(['node', 'parallel-cli', ...words], world);
  return { reader, world, cli };
}

/** Lets promise callbacks run. */
async function settle(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('status', () => {
  it('prints the panel without escape codes, and why tasks wait', async () => {
    const { world, cli } = look(journal);
    expect(await cli('status')).toBe(0);
    expect(world.stdout.text).toContain('PARALLEL EXECUTOR STATUS');
    expect(world.stdout.text).toContain('Active Agents:  2/4');
    expect(world.stdout.text).toContain('api waits for db (running on agent-1).');
    expect(world.stdout.text).not.toContain('\u001B');
  });

  it('names what needs attention and the command that helps', async () => {
    const { world, cli } = look([...journal, ...failed('ui', 5)]);
    await cli('status');
    expect(world.stdout.text).toContain(
      'ui (failed): agent exited with code 3. See: parallel-cli logs ui',
    );
  });

  it('tells where the work of a run is that is over, and how to take it', async () => {
    const onItsOwn = { ...plan, settings: { ...plan.settings, land: 'branch' as const } };
    const over: RunEvent[] = [
      ...journal,
      ...landed('db', 5),
      ...landed('ui', 6),
      { type: 'run:finished', outcome: 'stopped', at: second(7) },
    ];
    const reader = new FakeReader(onItsOwn, over);
    const world = new FakeWorld(fakeWorkspace({ reader: () => Promise.resolve(reader) }));
    expect(await main(['node', 'parallel-cli', 'status'], world)).toBe(0);
    expect(world.stdout.text).toContain('Take it with: git merge');
    world.stdout.text = '';
    expect(await main(['node', 'parallel-cli', 'status', '--json'], world)).toBe(0);
    const told = JSON.parse(world.stdout.text) as { readonly landing: unknown };
    expect(told.landing).toMatchObject({ mode: 'branch', held: null });
  });

  it('names the agents that are about to conflict, and the files', async () => {
    const tasks = [parseTaskId('db'), parseTaskId('ui')];
    const ahead: RunEvent = { type: 'conflict:ahead', tasks, paths: ['src/x.ts'], at: second(4) };
    const { world, cli } = look([...journal, ahead]);
    await cli('status');
    expect(world.stdout.text).toContain('  ahead: db and ui both change src/x.ts');
    const calm = look([...journal, ahead, { ...ahead, paths: [], at: second(5) }]);
    await calm.cli('status');
    expect(calm.world.stdout.text).not.toContain('ahead');
  });

  it('says why a run waits for its disk', async () => {
    const reason = 'the disk of /repo is full; 16 MB are needed';
    const { world, cli } = look([
      ...journal,
      { type: 'disk:refused', at: second(4), trouble: 'full', reason },
    ]);
    await cli('status');
    expect(world.stdout.text).toContain('paused: the disk of /repo is full');
    await cli('status', '--json');
    expect(world.stdout.text).toContain('"status": "paused"');
    expect(world.stdout.text).toContain(`"reason": "${reason}"`);
  });

  it('says on stderr what could not be read of the journal, and shows the rest', async () => {
    const { world, cli, reader } = look(journal);
    reader.unread = ['The journal is damaged at journal-000001.log:17 (40 bytes).'];
    expect(await cli('status', '--json')).toBe(0);
    expect(world.stderr.text).toContain('damaged at journal-000001.log:17');
    expect(JSON.parse(world.stdout.text)).toMatchObject({ schemaVersion: 1 });
  });

  it('of a run that was stopped early tells how to go on', async () => {
    const { world, cli } = look([
      runStarted(plan),
      { type: 'run:finished', at: second(1), outcome: 'stopped' },
    ]);
    await cli('status');
    expect(world.stdout.text).toContain('Stopped early; continue with: parallel-cli resume');
  });

  it('as JSON is the status object', async () => {
    const { world, cli } = look(journal);
    expect(await cli('status', '--json')).toBe(0);
    expect(JSON.parse(world.stdout.text)).toMatchObject({
      schemaVersion: 1,
      run: { status: 'running' },
      counts: { active: 2, pending: 1 },
    });
  });

  it('says when the process of the run is gone', async () => {
    const { world, cli, reader } = look(journal);
    reader.alive = false;
    await cli('status');
    expect(world.stdout.text).toContain('continue with: parallel-cli resume');
    world.stdout.text = '';
    await cli('status', '--json');
    expect(JSON.parse(world.stdout.text)).toMatchObject({ run: { status: 'interrupted' } });
  });

  it('without a run, or with an unknown one, ends with 2 and says what there is', async () => {
    const world = new FakeWorld(
      fakeWorkspace({
        reader: () => Promise.resolve(null),
        runs: () => Promise.resolve([new FakeReader(plan, []).id]),
      }),
    );
    expect(await main(['node', 'parallel-cli', 'status'], world)).toBe(2);
    expect(world.stderr.text).toContain('parallel-cli run');
    expect(await main(['node', 'parallel-cli', 'status', 'PEXEC-9'], world)).toBe(2);
    expect(world.stderr.text).toContain('Known runs: PEXEC-1705316400000');
  });
});

describe('status --watch', () => {
  it('shows every change until the run is over', async () => {
    const { world, cli, reader } = look(journal);
    const code = cli('status', '--watch', '--json');
    await settle();
    reader.push(...journal);
    await settle();
    reader.push(...landed('db', 6), { type: 'run:finished', at: second(7), outcome: 'stopped' });
    world.tick(500);
    expect(await code).toBe(0);
    const statuses = world.stdout.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { run: { status: string } });
    expect(statuses.map(({ run }) => run.status)).toEqual(['running', 'stopped']);
    expect(world.leftovers).toBe(0);
  });

  it('ends when the process of the run does, and says so', async () => {
    const { world, cli, reader } = look(journal);
    const code = cli('status', '--watch');
    await settle();
    reader.alive = false;
    world.tick(500);
    expect(await code).toBe(0);
    expect(world.stdout.text).toContain('continue with: parallel-cli resume');
  });

  it('is left by Ctrl-C without a word to the run, and by a reader that goes away', async () => {
    const first = look(journal);
    const left = first.cli('status', '--watch');
    await settle();
    first.world.send('SIGINT');
    expect(await left).toBe(130);
    const second_ = look(journal);
    const unread = second_.cli('status', '--watch');
    await settle();
    second_.world.stdout.close();
    expect(await unread).toBe(0);
  });

  it('gives the cursor back', async () => {
    const { world, cli, reader } = look(journal, new FakeOut(true, 80, 40));
    const code = cli('status', '--watch');
    await settle();
    reader.push(...journal, { type: 'run:finished', at: second(7), outcome: 'completed' });
    world.tick(500);
    await code;
    expect(world.stdout.text).toContain('\u001B[?25l');
    expect(world.stdout.text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(
      world.stdout.text.lastIndexOf('\u001B[?25l'),
    );
  });
});

describe('explain', () => {
  it('says why a task waits, and tells the story of one that failed', async () => {
    const { world, cli } = look([...journal, ...failed('ui', 5)]);
    expect(await cli('explain', 'api')).toBe(0);
    expect(world.stdout.text).toContain('api waits for db (running on agent-1).');
    world.stdout.text = '';
    expect(await cli('explain', 'ui')).toBe(0);
    expect(world.stdout.text).toMatch(/^ui is failed: .*\n {2}attempt 1: agent-failed: /);
  });

  it('answers as JSON, and knows the tasks of the run alone', async () => {
    const { world, cli } = look([...journal, ...failed('ui', 5)]);
    expect(await cli('explain', 'ui', '--json')).toBe(0);
    expect(JSON.parse(world.stdout.text)).toMatchObject({
      schemaVersion: 1,
      task: 'ui',
      state: 'failed',
      story: [expect.stringContaining('attempt 1'), expect.stringContaining('failed after 1')],
    });
    expect(await cli('explain', 'ghost')).toBe(2);
    expect(world.stderr.text).toContain('Its tasks: db, api, ui');
  });
});

describe('logs', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parallel-cli-logs-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  async function withLogs() {
    const set = look(journal);
    set.reader.logs = await Promise.all(
      [1, 2].map(async (attempt) => {
        const path = join(dir, `attempt-${attempt}.log`);
        await writeFile(path, `output of attempt ${attempt}\n`);
        return { task: 'db', attempt, path };
      }),
    );
    return set;
  }

  it('prints the latest attempt, or the one asked for', async () => {
    const { world, cli } = await withLogs();
    expect(await cli('logs', 'db')).toBe(0);
    expect(world.stdout.text).toBe('output of attempt 2\n');
    world.stdout.text = '';
    await cli('logs', 'db', '--attempt', '1');
    expect(world.stdout.text).toBe('output of attempt 1\n');
  });

  it('lists the logs when no task is given', async () => {
    const { world, cli } = await withLogs();
    expect(await cli('logs')).toBe(0);
    expect(world.stdout.text).toContain('db  attempt 2');
  });

  it('of an unknown task or a missing attempt fail', async () => {
    const { world, cli } = await withLogs();
    expect(await cli('logs', 'ghost')).toBe(2);
    expect(world.stderr.text).toContain('Its tasks: db, api, ui');
    expect(await cli('logs', 'db', '--attempt', '9')).toBe(1);
    expect(await cli('logs', '--follow')).toBe(2);
  });

  it('follows what is appended, to the last byte', async () => {
    const { world, cli, reader } = await withLogs();
    const path = join(dir, 'attempt-2.log');
    const code = cli('logs', 'db', '--follow');
    await until(() => world.stdout.text.includes('attempt 2'));
    const bytes = Buffer.from('é end\n');
    await appendFile(path, bytes.subarray(0, 1));
    world.tick(300);
    await settle();
    await appendFile(path, bytes.subarray(1));
    reader.push({ type: 'run:finished', at: second(7), outcome: 'completed' });
    world.tick(300);
    expect(await code).toBe(0);
    expect(world.stdout.text).toBe('output of attempt 2\né end\n');
    expect(world.leftovers).toBe(0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

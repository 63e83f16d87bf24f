import type { HeldLock, LocksView, WaitingForLocks } from '@parallel-executor/core';
import { parseTaskId, UserError } from '@parallel-executor/core';
import { main } from '../main';
import { FakeWorld, fakeWorkspace } from '../testing/fake-world';

const owner = { pid: 7, startTime: '1', bootId: 'b', host: 'box' };
const held: HeldLock = {
  task: 'landing',
  run: 'PEXEC-1',
  priority: 50,
  agent: 'agent-3',
  token: 42,
  reads: ['lib/**'],
  writes: ['src/**', 'package.json'],
  resources: [
    { id: 'db', exclusive: true },
    { id: 'gpu', exclusive: false, amount: 2, capacity: 4 },
  ],
  since: 1_000,
  owner,
  alive: true,
};
const waiting: WaitingForLocks = {
  task: 'api',
  run: 'PEXEC-1',
  priority: 90,
  reads: [],
  writes: ['src/api/**'],
  resources: [],
  since: 9_000,
  owner,
  alive: true,
  waitingFor: ['landing (agent-3)'],
};

function worldOf(view: LocksView): FakeWorld {
  const world = new FakeWorld(fakeWorkspace({ locks: () => Promise.resolve(view) }));
  world.time = 13_000;
  return world;
}

function cli(world: FakeWorld, ...words: readonly string[]): Promise<number> {
  return main(['node', 'parallel-cli', ...words], world);
}

describe('locks', () => {
  it('says so when nobody holds or waits', async () => {
    const world = worldOf({ held: [], waiting: [] });
    expect(await cli(world, 'locks')).toBe(0);
    expect(world.stdout.text).toBe('Nobody holds a lock here, and nobody waits for one.\n');
  });

  it('shows who holds what since when, and who waits for whom', async () => {
    const world = worldOf({ held: [held], waiting: [waiting] });
    expect(await cli(world, 'locks')).toBe(0);
    expect(world.stdout.text.split('\n')).toEqual([
      '1 lease held, 1 waiting',
      '',
      'landing (agent-3) holds since 12 s: token 42, PEXEC-1, process 7 on box',
      '  writes src/**, package.json',
      '  reads  lib/**',
      '  uses   db, gpu (2 of 4)',
      '',
      'api waits since 4.0 s for landing (agent-3): PEXEC-1',
      '  writes src/api/**',
      '',
    ]);
  });

  it('says of a dead holder that what it has passes on', async () => {
    const world = worldOf({ held: [{ ...held, agent: null, alive: false }], waiting: [] });
    await cli(world, 'locks');
    expect(world.stdout.text).toContain('landing holds since 12 s');
    expect(world.stdout.text).toContain('the process is gone, so it passes on to whoever asks');
  });

  it('answers with one JSON object', async () => {
    const world = worldOf({ held: [held], waiting: [waiting] });
    expect(await cli(world, 'locks', '--json')).toBe(0);
    expect(JSON.parse(world.stdout.text)).toMatchObject({
      schemaVersion: 1,
      held: [
        {
          task: 'landing',
          agent: 'agent-3',
          token: 42,
          since: '1970-01-01T00:00:01.000Z',
          owner: { pid: 7, host: 'box' },
          alive: true,
        },
      ],
      waiting: [{ task: 'api', priority: 90, waiting_for: ['landing (agent-3)'] }],
    });
  });
});

describe('locks request', () => {
  function asking(holders: readonly string[]) {
    const asked: (readonly string[])[] = [];
    const requestWrites = (globs: readonly string[]) => {
      asked.push(globs);
      const task = parseTaskId('api');
      return Promise.resolve({ granted: holders.length === 0, task, holders });
    };
    return { asked, world: new FakeWorld(fakeWorkspace({ requestWrites })) };
  }

  it('answers what was granted', async () => {
    const { asked, world } = asking([]);
    expect(await cli(world, 'locks', 'request', 'src/a/**', 'b')).toBe(0);
    expect(asked).toEqual([['src/a/**', 'b']]);
    expect(world.stdout.text).toBe('Granted: api may now write src/a/**, b.\n');
  });

  it('names the holders with exit code 3 when it is not free', async () => {
    const { world } = asking(['landing (agent-3)']);
    expect(await cli(world, 'locks', 'request', 'src/**')).toBe(3);
    expect(world.stdout.text).toBe('');
    expect(world.stderr.text).toBe('Not granted: src/** is held by landing (agent-3).\n');
  });

  it('answers in JSON, wherever the option stands', async () => {
    for (const words of [
      ['locks', '--json', 'request', 'a'],
      ['locks', 'request', 'a', '--json'],
    ]) {
      const { world } = asking(['x']);
      expect(await cli(world, ...words)).toBe(3);
      expect(JSON.parse(world.stdout.text)).toEqual({
        schemaVersion: 1,
        task: 'api',
        writes: ['a'],
        granted: false,
        holders: ['x'],
      });
    }
  });

  it('is wrong usage without a glob, or outside an agent', async () => {
    expect(await cli(asking([]).world, 'locks', 'request')).toBe(2);
    const refused = new UserError('usage', 'Only agents.', 'Change the plan.');
    const world = new FakeWorld(fakeWorkspace({ requestWrites: () => Promise.reject(refused) }));
    expect(await cli(world, 'locks', 'request', 'a')).toBe(2);
    expect(world.stderr.text).toContain('Change the plan.');
  });
});

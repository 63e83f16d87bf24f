import type { CleanChoice, CleanReport, CleanResult, Leftover } from '@parallel-executor/core';
import { parseRunId, UserError } from '@parallel-executor/core';
import { main } from '../main';
import { FakeWorld, fakeWorkspace } from '../testing/fake-world';

const run = parseRunId('PEXEC-1');
const commit = 'c'.repeat(40);
const ref: Leftover = {
  kind: 'ref',
  run,
  ref: 'refs/parallel/PEXEC-1/api/4',
  commit,
  task: 'api',
  role: 'candidate',
  landed: false,
};
const landed = (n: number): Leftover => ({
  ...ref,
  ref: `refs/parallel/PEXEC-1/web/${n}`,
  landed: true,
});
const folder: Leftover = {
  kind: 'folder',
  run,
  path: '/repo/.parallel/runs/PEXEC-1',
  bytes: 18_400,
  changedAt: 8_000,
};
const worktree: Leftover = {
  kind: 'worktree',
  run,
  path: '/repo/.worktrees/agent-1',
  task: 'api',
  aside: false,
  reason: null,
  known: true,
};
const trash: Leftover = { kind: 'trash', run: null, path: '/repo/.worktrees/.trash/x' };

function reportOf(fate: 'stays' | 'asked'): CleanReport {
  return {
    runs: [
      {
        id: run,
        standing: 'failed',
        checkout: null,
        current: true,
        landedTasks: ['web'],
        quarantined: [
          {
            task: 'api',
            state: 'failed',
            reason: 'exit 1\u001b[2J\nmore',
            refs: ['refs/parallel/PEXEC-1/api/4'],
          },
        ],
      },
    ],
    verdicts: [
      { item: ref, fate, why: 'not landed' },
      { item: landed(1), fate: 'proven', why: 'landed' },
      { item: landed(2), fate: 'proven', why: 'landed' },
      { item: worktree, fate: 'proven', why: 'saved first' },
      { item: folder, fate: 'stays', why: 'it tells' },
      { item: trash, fate: 'proven', why: 'removed before' },
    ],
  };
}

interface Played {
  readonly world: FakeWorld;
  readonly choices: CleanChoice[];
}

function play(report: CleanReport, done: Partial<CleanResult> = {}): Played {
  const choices: CleanChoice[] = [];
  const workspace = fakeWorkspace({
    root: '/repo',
    leftovers: (choice = {}) => {
      choices.push(choice);
      return Promise.resolve(report);
    },
    clean: (choice, onPlan) => {
      choices.push(choice);
      onPlan(report);
      return Promise.resolve({ ...report, removed: [], failed: [], ended: 0, ...done });
    },
  });
  const world = new FakeWorld(workspace);
  world.time = 20_000;
  return { world, choices };
}

const cli = (world: FakeWorld, ...words: readonly string[]): Promise<number> =>
  main(['node', 'parallel-cli', 'clean', ...words], world);

describe('clean', () => {
  it('shows what goes and what stays, run by run, and that nothing was changed', async () => {
    const { world, choices } = play(reportOf('stays'));
    expect(await cli(world)).toBe(0);
    expect(choices).toEqual([{ run: undefined, unlanded: false }]);
    expect(world.stdout.text.split('\n')).toEqual([
      'PEXEC-1 (failed, 12 s ago, 18 kB)',
      `  = refs/parallel/PEXEC-1/api/4 (${commit}): not landed`,
      '  - worktree .worktrees/agent-1 of api: saved first',
      '  = folder .parallel/runs/PEXEC-1: it tells',
      '  - 2 candidates: landed',
      '  ! api failed: exit 1; its work: refs/parallel/PEXEC-1/api/4',
      '',
      'of no run',
      '  - trash .worktrees/.trash/x: removed before',
      '',
      '4 of 6 things would go (-), 2 stay (=). Nothing was changed.',
      'Remove what would go with --force added to the same command.',
      '',
    ]);
  });

  it('says so when nothing is left', async () => {
    const { world } = play({ runs: [], verdicts: [] });
    expect(await cli(world)).toBe(0);
    expect(world.stdout.text).toBe('Nothing is left of any run.\n');
  });

  it('answers with one JSON object', async () => {
    const { world } = play(reportOf('stays'));
    expect(await cli(world, '--json')).toBe(0);
    expect(JSON.parse(world.stdout.text)).toMatchObject({
      schemaVersion: 1,
      forced: false,
      runs: [{ id: 'PEXEC-1', standing: 'failed', quarantined: [{ task: 'api' }] }],
      items: [
        { id: `refs/parallel/PEXEC-1/api/4 ${commit}`, kind: 'ref', fate: 'stays', landed: false },
        {},
        {},
        { kind: 'worktree' },
        { kind: 'folder', bytes: 18_400, changed_at: '1970-01-01T00:00:08.000Z' },
        { kind: 'trash', run: null },
      ],
    });
  });

  it('is wrong usage with something that is no run id', async () => {
    const { world, choices } = play(reportOf('stays'));
    expect(await cli(world, '--run', '../../etc', '--force')).toBe(2);
    expect([choices, world.opened]).toEqual([[], []]);
  });
});

describe('clean --force', () => {
  it('names everything it removed, where work is now, and that something stays', async () => {
    const saved = 'refs/parallel/PEXEC-1/api/salvage-1';
    const removed = [
      { item: landed(1), saved: null },
      { item: worktree, saved },
    ];
    const { world } = play(reportOf('stays'), { removed });
    expect(await cli(world, '--force')).toBe(0);
    expect(world.stderr.text).toBe('');
    expect(world.stdout.text.split('\n')).toEqual([
      `removed refs/parallel/PEXEC-1/web/1 (${commit})`,
      `removed worktree .worktrees/agent-1 of api; what was only there is now ${saved}`,
      '1 thing left as it is; parallel-cli clean tells why.',
      '',
    ]);
  });

  it('shows the ids of work that did not land before it is gone', async () => {
    const { world, choices } = play(reportOf('asked'), { ended: 2 });
    expect(await cli(world, '--force', '--unlanded', '--run', 'PEXEC-1')).toBe(0);
    expect(choices).toEqual([{ run: 'PEXEC-1', unlanded: true }]);
    expect(world.stderr.text.split('\n')).toEqual([
      'This goes although it has not landed:',
      `  refs/parallel/PEXEC-1/api/4 (${commit})`,
      'Until git gc removes it, git branch NAME ID brings a commit back.',
      '',
    ]);
    expect(world.stdout.text).toContain('ended 2 processes of the run that was given up\n');
  });

  it('fails when something that was to go is still there, and says why', async () => {
    const failed = [{ item: ref, why: 'it has moved meanwhile' }];
    const { world } = play(reportOf('asked'), { failed });
    expect(await cli(world, '--force', '--unlanded')).toBe(1);
    expect(world.stdout.text).toContain(
      `not removed refs/parallel/PEXEC-1/api/4 (${commit}): it has moved meanwhile\n`,
    );
    const json = play(reportOf('asked'), { failed });
    expect(await cli(json.world, '--force', '--json')).toBe(1);
    expect(JSON.parse(json.world.stdout.text)).toMatchObject({
      forced: true,
      removed: [],
      failed: [{ kind: 'ref', why: 'it has moved meanwhile' }],
      ended_processes: 0,
    });
  });

  it('exits 4 while a run is at work', async () => {
    const busy = new UserError('busy', 'Another run holds this workspace.');
    const world = new FakeWorld(
      fakeWorkspace({ root: '/repo', clean: () => Promise.reject(busy) }),
    );
    expect(await cli(world, '--force')).toBe(4);
  });
});

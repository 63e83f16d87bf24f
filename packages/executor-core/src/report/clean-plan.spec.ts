import fc from 'fast-check';
import { parseRunId } from '../model/ids';
import type { CleanVerdict, Leftover, LeftRun, RunStanding } from './clean-plan';
import { leftoverKey, planClean } from './clean-plan';

const RUN = parseRunId('PEXEC-1');
const OTHER = parseRunId('PEXEC-2');
const STANDINGS: readonly RunStanding[] = [
  'running',
  'interrupted',
  'elsewhere',
  'unstarted',
  'gone',
  'unreadable',
  'completed',
  'failed',
  'stopped',
];

function runOf(standing: RunStanding, patch: Partial<LeftRun> = {}): LeftRun {
  const none = { checkout: null, current: false, landedTasks: [], quarantined: [] };
  return { id: RUN, standing, ...none, ...patch };
}

type RefItem = Extract<Leftover, { readonly kind: 'ref' }>;
function refOf(name: string, patch: Partial<RefItem> = {}): RefItem {
  const { run = RUN } = patch;
  return {
    kind: 'ref',
    ref: `refs/parallel/${run}/${name}`,
    commit: 'c'.repeat(40),
    task: name.split('/')[0] ?? null,
    role: 'candidate',
    landed: true,
    ...patch,
    run,
  };
}

const folder: Leftover = { kind: 'folder', run: RUN, path: '/runs/1', bytes: 9, changedAt: 0 };
const integration = refOf('_integration', { role: 'integration', task: null });
const salvage = refOf('b/salvage-1', { role: 'salvage', landed: false });
const stray: Leftover = {
  kind: 'worktree',
  run: RUN,
  path: '/w/agent-1',
  task: 'a',
  aside: false,
  reason: null,
  known: true,
};
const aside: Leftover = { ...stray, path: '/w/.kept/agent-1', aside: true, reason: 'disk full' };
const branch: Leftover = {
  kind: 'branch',
  run: RUN,
  branch: 'agent-1-a',
  commit: 'd'.repeat(40),
  hold: null,
};

const fates = (verdicts: readonly CleanVerdict[]): readonly string[] =>
  verdicts.map(({ fate }) => fate);

describe('of a run whose tasks all landed', () => {
  const runs = [runOf('completed')];

  it('everything goes, with the folder at the end', () => {
    const items = [refOf('a/1'), integration, branch, stray, folder];
    expect(fates(planClean({ runs, items }))).toEqual(Array(5).fill('proven'));
  });

  it('the folder stays while it is the last run, unless it is named', () => {
    const last = { runs: [runOf('completed', { current: true })], items: [refOf('a/1'), folder] };
    expect(fates(planClean(last))).toEqual(['proven', 'stays']);
    expect(fates(planClean(last, { unlanded: true }))).toEqual(['proven', 'stays']);
    expect(fates(planClean(last, { run: RUN }))).toEqual(['proven', 'proven']);
  });

  it('what is on no branch of the user stays, and the folder with it', () => {
    const items = [{ ...integration, landed: false }, folder];
    expect(planClean({ runs, items })).toMatchObject([
      { fate: 'stays', why: 'what landed in the run is on no branch of yours' },
      { fate: 'stays', why: 'it tells about what is left of the run' },
    ]);
  });
});

describe('of a run with a failed task', () => {
  const runs = [runOf('failed', { landedTasks: ['a'] })];

  it('landed candidates go; its work, its integration branch and its folder stay', () => {
    const items = [refOf('a/1'), integration, salvage, folder];
    expect(fates(planClean({ runs, items }))).toEqual(['proven', 'stays', 'stays', 'stays']);
    const all = ['proven', 'asked', 'asked', 'asked'];
    expect(fates(planClean({ runs, items }, { unlanded: true }))).toEqual(all);
    expect(fates(planClean({ runs, items }, { run: RUN }))).toEqual(all);
  });

  it('an earlier attempt of a task that landed is told apart', () => {
    const items = [refOf('a/1', { landed: false }), refOf('b/2', { landed: false })];
    expect(planClean({ runs, items }).map(({ why }) => why)).toEqual([
      'not landed; another attempt of the task has',
      'not landed',
    ]);
  });

  it('what was saved meanwhile has not been shown, and stays with its folder', () => {
    const items = [salvage, refOf('c/salvage-2', { role: 'salvage', landed: false }), folder];
    const shown = new Set([leftoverKey(salvage), leftoverKey(folder)]);
    expect(planClean({ runs, items }, { unlanded: true }, shown)).toMatchObject([
      { fate: 'asked' },
      { fate: 'stays', why: 'saved just now' },
      { fate: 'stays' },
    ]);
  });
});

describe('worktrees and branches', () => {
  const runs = [runOf('failed')];

  it('a worktree moved aside goes if it can be saved, and anyway when that is asked for', () => {
    expect(planClean({ runs, items: [aside] })).toMatchObject([
      { fate: 'if-saved', why: 'could not be saved: disk full; that is tried once more' },
    ]);
    expect(fates(planClean({ runs, items: [aside] }, { unlanded: true }))).toEqual(['asked']);
  });

  it('one that git does not know stays whatever is asked for', () => {
    const items = [{ ...aside, known: false }];
    expect(fates(planClean({ runs, items }, { unlanded: true }))).toEqual(['stays']);
  });

  it('a branch that somebody works on, or with commits of its own, stays whatever is asked for', () => {
    const items: readonly Leftover[] = [
      { ...branch, hold: 'checked-out' },
      { ...branch, hold: 'unsaved' },
    ];
    expect(fates(planClean({ runs, items }, { run: RUN, unlanded: true }))).toEqual([
      'stays',
      'stays',
    ]);
  });
});

it.each([
  ['interrupted', 'parallel-cli resume PEXEC-1 goes on from it; to give it up, name it with --run'],
  ['unreadable', 'its run cannot be read; to give it up, name the run with --run'],
] as const)('an %s run goes only by name', (standing, why) => {
  const found = { runs: [runOf(standing)], items: [refOf('a/1'), salvage, stray, folder] };
  for (const choice of [{}, { unlanded: true }]) {
    expect(planClean(found, choice)).toEqual(
      found.items.map((item) => ({ item, fate: 'stays', why })),
    );
  }
  const named = fates(planClean(found, { run: RUN }));
  expect(named).toEqual(['proven', 'asked', 'proven', 'asked']);
});

it('a folder without a run in it goes, and with a run named nothing of others is even looked at', () => {
  const runs = [runOf('unstarted'), runOf('completed', { id: OTHER })];
  const items = [folder, refOf('a/1', { run: OTHER })];
  expect(fates(planClean({ runs, items }))).toEqual(['proven', 'proven']);
  expect(planClean({ runs, items }, { run: RUN }).map(({ item }) => item)).toEqual([folder]);
});

describe('whatever is there', () => {
  const items = fc.array(
    fc.oneof(
      fc
        .record({
          landed: fc.boolean(),
          role: fc.constantFrom('candidate', 'salvage', 'integration'),
          run: fc.constantFrom(RUN, OTHER),
          name: fc.constantFrom('a/1', 'b/2', 'c/salvage-3'),
        })
        .map(({ name, ...patch }) => refOf(name, patch as Partial<RefItem>)),
      fc.constantFrom(folder, stray, aside, branch, { ...branch, hold: 'unsaved' } as Leftover),
    ),
    { maxLength: 12 },
  );
  const runs = fc
    .tuple(fc.constantFrom(...STANDINGS), fc.constantFrom(...STANDINGS), fc.boolean())
    .map(([one, two, current]) => [runOf(one, { current }), runOf(two, { id: OTHER })]);
  const choices = fc.constantFrom({}, { unlanded: true }, { run: RUN }, { run: OTHER });

  it('nothing that did not land goes unasked, and nothing of a run that lives or is elsewhere at all', () => {
    fc.assert(
      fc.property(runs, items, choices, (some, things, choice) => {
        for (const { item, fate } of planClean({ runs: some, items: things }, choice)) {
          const standing = some.find(({ id }) => id === item.run)?.standing;
          if (standing === 'running' || standing === 'elsewhere') expect(fate).toBe('stays');
          if (item.kind === 'ref' && !item.landed) expect(fate).not.toBe('proven');
          if (Object.keys(choice).length === 0) expect(fate).not.toBe('asked');
          if (item.kind === 'branch' && item.hold !== null) expect(fate).toBe('stays');
        }
      }),
    );
  });

  it('once that is gone, nothing more goes without being asked for, but folders that were waiting for it', () => {
    fc.assert(
      fc.property(runs, items, (some, things) => {
        const left = planClean({ runs: some, items: things }).filter(
          ({ fate }) => fate === 'stays',
        );
        const again = planClean({ runs: some, items: left.map(({ item }) => item) });
        expect(again.filter(({ fate }) => fate !== 'stays').map(({ item }) => item.kind)).toEqual(
          again.flatMap(({ item, fate }) =>
            fate !== 'stays' && item.kind === 'folder' ? ['folder'] : [],
          ),
        );
      }),
    );
  });
});

import type { MergeRig } from '../testing/merge-rig';
import { INTEGRATION, makeMergeRig } from '../testing/merge-rig';
import type { DrainContext, Landing } from './drain-context';
import { drainQueue } from './merge-queue';
import type { QueueItem } from './stack';
import { buildStack } from './stack';
import { CANDIDATE_TRAILER, parseTrailers, withResolved } from './trailers';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

const list = (...names: readonly string[]): string =>
  `${JSON.stringify(Object.fromEntries(names.map((name) => [name, 1])), null, 2)}\n`;

describe('landing what was in conflict', () => {
  let rig: MergeRig;
  let landings: Landing[];

  beforeEach(async () => {
    rig = await makeMergeRig({ 'a.json': list('x'), 'b.txt': 'b\n' });
    landings = [];
  });
  afterEach(() => rig.cleanup());

  const drain = (queue: readonly QueueItem[], more: Partial<DrainContext> = {}) =>
    drainQueue(rig.git, {
      root: rig.root,
      ref: INTEGRATION,
      queue,
      verify: null,
      checkFences: () => Promise.resolve(() => true),
      conflictPolicy: 'wait',
      ladder: {},
      onMerging: () => Promise.resolve(),
      onRejected: () => Promise.resolve(),
      onLanded: (_item, landing) => {
        landings.push(landing);
        return Promise.resolve();
      },
      ...more,
    });
  const both = async (path: string, one: string, two: string): Promise<QueueItem[]> => {
    const base = await rig.tip();
    return [
      await rig.candidate('one', { [path]: one }, base),
      await rig.candidate('two', { [path]: two }, base),
    ];
  };

  it('settles candidates of one stack by rule, and says so in commit and report', async () => {
    const queue = await both('a.json', list('x', 'one'), list('x', 'two'));
    expect((await drain(queue)).landed).toEqual(['one', 'two']);
    expect(`${await rig.show('a.json')}\n`).toBe(list('x', 'one', 'two'));
    const message = await rig.repo.git(['log', '-1', '--format=%B', INTEGRATION]);
    const trailers = parseTrailers(message);
    expect(trailers.get('Parallel-Resolved')).toBe('structural a.json');
    expect(trailers.get(CANDIDATE_TRAILER)).toBe(queue[1]?.candidate.commit);
    const resolved = [{ path: 'a.json', rung: 'structural', reason: 'merged by its keys' }];
    expect(landings.map((landing) => landing.resolved)).toEqual([[], resolved]);
  });

  it('verifies what a rule made, and rejects its candidate when that is red', async () => {
    const queue = await both('a.json', list('x', 'one'), list('x', 'two'));
    const { landed, rejected } = await drain(queue, {
      verify: async (commit) => {
        const text = await rig.repo.git(['show', `${commit}:a.json`]);
        const failure = { kind: 'verify-failed', where: 'merged', command: 'c', code: 1 } as const;
        return text.includes('two') ? { ...failure, tail: '' } : null;
      },
    });
    expect([landed, rejected]).toEqual([['one'], ['two']]);
  });

  it('lets a policy choose against what has landed only', async () => {
    const queue = await both('b.txt', 'one\n', 'two\n');
    const ladder = { priorityOf: (task: string) => (task === 'two' ? 80 : 20) };
    const { git, root } = rig;
    const request = { git, root, items: queue, policy: 'priority', ladder } as const;
    const stack = await buildStack({ ...request, tip: await rig.tip() });
    expect([stack.layers.length, stack.conflicts.length]).toEqual([1, 0]);
    expect((await drain(queue, { ladder, conflictPolicy: 'priority' })).landed).toEqual([
      'one',
      'two',
    ]);
    expect(await rig.show('b.txt')).toBe('two');
    const [lost] = landings[1]?.resolved ?? [];
    expect(await rig.repo.git(['cat-file', 'blob', lost?.loser ?? ''])).toBe('one');
  });

  it('rejects a conflict that nothing settles', async () => {
    const { landed, rejected } = await drain(await both('b.txt', 'one\n', 'two\n'));
    expect([landed, rejected]).toEqual([['one'], ['two']]);
  });
});

describe('withResolved', () => {
  it('adds one line per path, fifty at most, whatever the paths hold', () => {
    const message = 'subject\n\nParallel-Run: PEXEC-1\n';
    const entry = (path: string) => ({ path, rung: 'policy', reason: '' }) as const;
    const many = Array.from({ length: 60 }, (_, index) => entry(`f${index}`));
    expect(withResolved(message, many).split('Parallel-Resolved:')).toHaveLength(51);
    const odd = withResolved(message, [entry('a\nParallel-Run: other')]);
    expect(parseTrailers(odd).get('Parallel-Run')).toBe('PEXEC-1');
    expect(withResolved(message, [])).toBe(message);
  });
});

import type { Failure } from '../model/failure';
import type { MergeRig } from '../testing/merge-rig';
import { INTEGRATION, makeMergeRig } from '../testing/merge-rig';
import { landedCandidates } from './landed';
import type { DrainContext, DrainResult } from './drain-context';
import { FailureRate } from './failure-rate';
import { drainQueue } from './merge-queue';
import type { VerifyTree } from './remember-verdicts';
import { rememberVerdicts } from './remember-verdicts';
import type { QueueItem } from './stack';
import { parseTrailers } from './trailers';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

const RED: Failure = {
  kind: 'verify-failed',
  where: 'merged',
  command: 'npm test',
  code: 1,
  tail: 'no',
};

describe('drainQueue', () => {
  let rig: MergeRig;
  let log: string[];
  let verified: string[];

  beforeEach(async () => {
    rig = await makeMergeRig({ 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\n' });
    log = [];
    verified = [];
  });
  afterEach(() => rig.cleanup());

  const context = (
    queue: readonly QueueItem[],
    more: Partial<DrainContext> = {},
  ): DrainContext => ({
    root: rig.root,
    ref: INTEGRATION,
    queue,
    verify: null,
    checkFences: () => Promise.resolve(() => true),
    conflictPolicy: 'wait',
    onMerging: (item) => note(`merging ${item.task}`),
    onLanded: (item, { commit }) => note(`landed ${item.task}${commit === null ? ' as noop' : ''}`),
    onRejected: (item, failure) => note(`rejected ${item.task}: ${failure.kind}`),
    ...more,
  });
  const note = (line: string): Promise<void> => {
    log.push(line);
    return Promise.resolve();
  };
  const drain = (queue: readonly QueueItem[], more?: Partial<DrainContext>): Promise<DrainResult> =>
    drainQueue(rig.git, context(queue, more));
  /** Red when the tree holds one of `bad`, or all of `together`. */
  const judge = (bad: readonly string[], together: readonly string[] = []): VerifyTree =>
    rememberVerdicts(async (commit) => {
      const files = await filesOf(commit);
      verified.push(files.join(' '));
      const broken = together.length > 0 && together.every((file) => files.includes(file));
      return broken || bad.some((file) => files.includes(file)) ? RED : null;
    });
  const filesOf = async (commit: string): Promise<string[]> =>
    (await rig.repo.git(['ls-tree', '-r', '--name-only', commit])).split('\n');
  const added = (name: string, base?: string, fence?: number): Promise<QueueItem> =>
    rig.candidate(name, { [`${name}.txt`]: `${name}\n` }, base, fence);
  const outcomes = (): string[] => log.filter((line) => !line.startsWith('merging'));
  const commits = async (range: string): Promise<string[]> =>
    (await rig.repo.git(['log', '--reverse', '--format=%H', range])).split('\n').filter(Boolean);

  it('lands five candidates as five commits on one line, the ref moved before the report', async () => {
    const before = await rig.tip();
    const queue = [];
    for (const name of ['v', 'w', 'x', 'y', 'z']) queue.push(await added(name));
    const seen: string[] = [];
    const result = await drain(queue, {
      onLanded: async (item, { commit }) => {
        seen.push(`${item.task} ${commit}`);
        await rig.repo.git(['merge-base', '--is-ancestor', commit ?? '', INTEGRATION]);
      },
    });
    const line = await commits(`${before}..${INTEGRATION}`);
    expect(line).toHaveLength(5);
    expect(seen).toEqual(queue.map(({ task }, index) => `${task} ${line[index]}`));
    expect(result).toMatchObject({ tip: line[4], rejected: [], left: [] });
    const parents = await rig.repo.git(['log', '--format=%P', `${before}..${INTEGRATION}`]);
    expect(parents.split('\n')).toEqual([...line.slice(0, 4).reverse(), before]);
    expect(await rig.repo.git(['ls-tree', '--name-only', INTEGRATION])).toBe(
      'a.txt\nb.txt\nv.txt\nw.txt\nx.txt\ny.txt\nz.txt',
    );
  });

  it('writes whose work landed into the commit, under the name of the user', async () => {
    const item = await added('x');
    await drain([item]);
    const message = await rig.repo.git(['log', '-1', '--format=%B', INTEGRATION]);
    expect(message.split('\n')[0]).toBe('x: Do x');
    expect(parseTrailers(message).get('Parallel-Candidate')).toBe(item.candidate.commit);
    expect(await rig.repo.git(['log', '-1', '--format=%an %cn', INTEGRATION])).toBe('Test Test');
  });

  it('rejects a candidate in conflict with its paths and lands the others', async () => {
    const base = await rig.tip();
    const queue = [
      await rig.candidate('first', { 'a.txt': 'one\nFIRST\nthree\n' }),
      await rig.candidate('second', { 'a.txt': 'one\nSECOND\nthree\n', 'c.txt': 'c\n' }),
      await added('third'),
    ];
    const failures: Failure[] = [];
    const result = await drain(queue, {
      onRejected: (_item, failure) => {
        failures.push(failure);
        return Promise.resolve();
      },
    });
    expect(result).toMatchObject({ landed: ['first', 'third'], rejected: ['second'] });
    expect(failures).toEqual([{ kind: 'conflict', paths: ['a.txt'], onto: result.tip }]);
    expect(await rig.show('a.txt')).toBe('one\nFIRST\nthree');
    expect(await commits(`${base}..${INTEGRATION}`)).toHaveLength(2);
  });

  it('takes both sides of changes to different parts of one file', async () => {
    const queue = [
      await rig.candidate('top', { 'a.txt': 'ONE\ntwo\nthree\n' }),
      await rig.candidate('bottom', { 'a.txt': 'one\ntwo\nTHREE\n' }),
    ];
    await drain(queue);
    expect(await rig.show('a.txt')).toBe('ONE\ntwo\nTHREE');
  });

  it('evicts exactly the candidates that break the merged tree and lands the rest in order', async () => {
    const names = ['c', 'd', 'e', 'f', 'g', 'h'];
    const queue = [];
    for (const name of names) queue.push(await added(name));
    const result = await drain(queue, { verify: judge(['d.txt', 'g.txt']) });
    expect(result.landed).toEqual(['c', 'e', 'f', 'h']);
    expect(result.rejected).toEqual(['d', 'g']);
    expect(outcomes()).toContain('rejected d: verify-failed');
    // The two that were red alone were looked at once more.
    expect(verified.length - new Set(verified).size).toBe(2);
  });

  it('catches two candidates that merge cleanly and are wrong together', async () => {
    const queue = [await added('c'), await added('d'), await added('e')];
    const result = await drain(queue, { verify: judge([], ['c.txt', 'e.txt']) });
    expect(result).toMatchObject({ landed: ['c', 'd'], rejected: ['e'] });
  });

  it('never moves the ref to a tree that was not verified green', async () => {
    const green = new Set([await rig.tip()]);
    const check = judge(['d.txt']);
    const seen: string[] = [];
    await drain([await added('c'), await added('d'), await added('e')], {
      verify: async (commit, tree, base) => {
        expect(base).toBe(await rig.tip());
        expect(await rig.repo.git(['rev-parse', `${commit}^{tree}`])).toBe(tree);
        const verdict = await check(commit, tree, base);
        if (verdict === null) green.add(commit);
        return verdict;
      },
      onLanded: async () => {
        seen.push(await rig.tip());
      },
    });
    expect(seen).toHaveLength(2);
    expect(seen.every((commit) => green.has(commit))).toBe(true);
  });

  it('gives a candidate that was in conflict with an evicted one its chance', async () => {
    const queue = [
      await rig.candidate('bad', { 'a.txt': 'one\nBAD\nthree\n', 'bad.txt': 'x\n' }),
      await rig.candidate('good', { 'a.txt': 'one\nGOOD\nthree\n' }),
    ];
    const result = await drain(queue, { verify: judge(['bad.txt']) });
    expect(result).toMatchObject({ landed: ['good'], rejected: ['bad'] });
    expect(await rig.show('a.txt')).toBe('one\nGOOD\nthree');
  });

  it('lands a candidate that changes nothing without a commit and without a check', async () => {
    const before = await rig.tip();
    const queue = [await rig.candidate('idle', {})];
    const result = await drain(queue, { verify: judge([]) });
    expect(outcomes()).toEqual(['landed idle as noop']);
    expect(result.tip).toBe(before);
    expect(verified).toEqual([]);
  });

  it('lands the second of two equal changes without a commit', async () => {
    const base = await rig.tip();
    const queue = [
      await rig.candidate('one', { 'n.txt': 'n\n' }),
      await rig.candidate('two', { 'n.txt': 'n\n' }),
    ];
    await drain(queue, { verify: judge([]) });
    expect(outcomes()).toEqual(['landed one', 'landed two as noop']);
    expect(await commits(`${base}..${INTEGRATION}`)).toHaveLength(1);
  });

  it('rejects the second of two equal changes when the first is refused for its content', async () => {
    const queue = [
      await rig.candidate('one', { 'n.txt': 'n\n' }),
      await rig.candidate('two', { 'n.txt': 'n\n' }),
    ];
    const result = await drain(queue, { verify: judge(['n.txt']) });
    expect(result.landed).toEqual([]);
    expect(result.rejected).toHaveLength(2);
    expect(verified).toHaveLength(2);
  });

  it('does not land twice what an earlier process landed, and reports it with its commit', async () => {
    const queue = [await added('c'), await added('d')];
    await drain(queue.slice(0, 1));
    const commit = await rig.tip();
    const landings: unknown[] = [];
    const result = await drain(queue, {
      onLanded: (item, landing) => {
        landings.push([item.task, landing.commit]);
        return Promise.resolve();
      },
    });
    expect(landings).toEqual([
      ['c', commit],
      ['d', result.tip],
    ]);
    expect((await landedCandidates(rig.git, rig.root, INTEGRATION)).size).toBe(2);
  });

  it('lands once although it is killed between the move of the ref and its report', async () => {
    const queue = [await added('c')];
    const crash = (): Promise<void> => Promise.reject(new Error('killed'));
    await expect(drain(queue, { onLanded: crash })).rejects.toThrow('killed');
    const tip = await rig.tip();
    expect(await drain(queue)).toMatchObject({ tip, landed: ['c'] });
  });

  it('refuses a candidate whose lease was lost while it was verified', async () => {
    const queue = [await added('c', undefined, 1), await added('d', undefined, 2)];
    let checked = false;
    const result = await drain(queue, {
      verify: () => {
        checked = true;
        return Promise.resolve(null);
      },
      checkFences: () => Promise.resolve((fence) => !(checked && fence === 1)),
    });
    expect(result).toMatchObject({ landed: ['d'], rejected: ['c'] });
    expect(outcomes()).toContain('rejected c: lost-lease');
    expect(await rig.repo.git(['ls-tree', '--name-only', INTEGRATION])).not.toContain('c.txt');
  });

  it('builds again when somebody else moved the ref during verification', async () => {
    const queue = [await added('c')];
    const foreign = await rig.repo.commit({ 'foreign.txt': 'f\n' }, 'foreign');
    let calls = 0;
    const result = await drain(queue, {
      verify: async () => {
        calls += 1;
        if (calls === 1) await rig.repo.git(['update-ref', INTEGRATION, foreign]);
        return null;
      },
    });
    expect(calls).toBe(2);
    expect(result.landed).toEqual(['c']);
    expect(await rig.repo.git(['rev-parse', `${INTEGRATION}~1`])).toBe(foreign);
  });

  it('leaves the queue alone when the ref never holds still', async () => {
    const queue = [await added('c')];
    let turn = 0;
    const result = await drain(queue, {
      verify: async () => {
        turn += 1;
        const moved = await rig.repo.commit({ 'turn.txt': `${turn}\n` }, `turn ${turn}`);
        await rig.repo.git(['update-ref', INTEGRATION, moved]);
        return null;
      },
    });
    expect(result).toMatchObject({ landed: [], rejected: [], left: queue });
  });

  it('stops without a verdict when the checks were stopped', async () => {
    const queue = [await added('c')];
    const before = await rig.tip();
    const stopped: Failure = { kind: 'interrupted', message: 'stop' };
    const result = await drain(queue, { verify: () => Promise.resolve(stopped) });
    expect(result).toMatchObject({ tip: before, landed: [], rejected: [], left: queue });
    const aborted = await drain(queue, { signal: AbortSignal.abort() });
    expect(aborted.left).toEqual(queue);
  });

  it('carries over only its own change when its base was taken out of the branch', async () => {
    const start = await rig.tip();
    const withdrawn = await rig.repo.commit({ 'withdrawn.txt': 'w\n' }, 'withdrawn');
    await rig.repo.git(['update-ref', INTEGRATION, withdrawn]);
    const item = await added('c');
    await rig.repo.git(['update-ref', INTEGRATION, start]);
    expect(await drain([item])).toMatchObject({ landed: ['c'] });
    expect(await rig.repo.git(['ls-tree', '--name-only', INTEGRATION])).toBe('a.txt\nb.txt\nc.txt');
  });

  it('announces every candidate once, before anything else happens to it', async () => {
    const queue = [await added('c'), await added('d')];
    await drain(queue, { verify: judge(['c.txt']) });
    expect(log.filter((line) => line.startsWith('merging'))).toEqual(['merging c', 'merging d']);
    expect(log.slice(0, 2)).toEqual(['merging c', 'merging d']);
  });

  it('lands a candidate whose check was red once and green of the same tree then, and says so', async () => {
    const queue = [await added('c')];
    const flakes: string[] = [];
    let looks = 0;
    const result = await drain(queue, {
      verify: rememberVerdicts(() => Promise.resolve((looks += 1) === 1 ? RED : null)),
      onFlake: (item, failure) => {
        flakes.push(`${item.task}: ${failure.kind}`);
        return Promise.resolve();
      },
    });
    expect(result).toMatchObject({ landed: ['c'], rejected: [] });
    expect(flakes).toEqual(['c: verify-failed']);
    expect(looks).toBe(2);
  });

  it('verifies as many trees at once as there are slots, and stops those nobody needs any more', async () => {
    const queue = [];
    for (const name of ['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) queue.push(await added(name));
    const open = new Map<string, (verdict: Failure | null) => void>();
    const stopped: string[] = [];
    const slots: number[] = [];
    const rate = new FailureRate();
    rate.note(true);
    const draining = drain(queue, {
      slots: 3,
      rate,
      verify: async (commit, _tree, _base, how) => {
        const last = (await filesOf(commit)).at(-1) ?? '';
        slots.push(how?.slot ?? 0);
        return new Promise((resolve) => {
          open.set(last, resolve);
          how?.signal?.addEventListener('abort', () => {
            stopped.push(last);
            resolve({ kind: 'interrupted', message: 'stop' });
          });
          if (open.size === 3) {
            // The first half is green: it lands, and its own first half need not be looked at.
            expect([...open.keys()].sort()).toEqual(['d.txt', 'f.txt', 'j.txt']);
            open.get('f.txt')?.(null);
          } else if (open.size > 3) resolve(null);
        });
      },
      onLanded: (item) => {
        if (item.task === 'f') open.get('j.txt')?.(null);
        return note(`landed ${item.task}`);
      },
    });
    const result = await draining;
    expect(result.landed).toEqual(['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
    expect(stopped).toEqual(['d.txt']);
    expect([...slots].sort().slice(0, 3)).toEqual([1, 2, 3]);
  });

  describe('with lanes', () => {
    const affected: DrainContext['affected'] = ({ candidate }) =>
      Promise.resolve(new Set(candidate.files.map((file) => file.split('/')[0] ?? '')));
    const inLane = (name: string, lane: string): Promise<QueueItem> =>
      rig.candidate(name, { [`${lane}/${name}.txt`]: `${name}\n` });

    it('lands what another lane verifies beside it, each checked by itself', async () => {
      const queue = [await inLane('a1', 'a'), await inLane('b1', 'b'), await inLane('a2', 'a')];
      let release: () => void = () => undefined;
      const slow = new Promise<void>((resolve) => (release = resolve));
      const trees: string[] = [];
      const result = await drain(queue, {
        slots: 2,
        affected,
        verify: async (commit) => {
          const files = (await filesOf(commit)).filter((file) => file.includes('/'));
          trees.push(files.join(' '));
          if (files.every((file) => file.startsWith('a/'))) await slow;
          return null;
        },
        onLanded: async (item) => {
          await note(`landed ${item.task}`);
          if (item.task === 'b1') release();
        },
      });
      expect(outcomes()).toEqual(['landed b1', 'landed a1', 'landed a2']);
      expect(trees.sort()).toEqual(['a/a1.txt a/a2.txt', 'b/b1.txt']);
      expect(await filesOf(result.tip ?? '')).toEqual([
        'a.txt',
        'a/a1.txt',
        'a/a2.txt',
        'b.txt',
        'b/b1.txt',
      ]);
      expect(await commits(`${INTEGRATION}~3..${INTEGRATION}`)).toHaveLength(3);
    });

    it('keeps the other lanes going when one has a culprit', async () => {
      const queue = [await inLane('a1', 'a'), await inLane('b1', 'b'), await inLane('a2', 'a')];
      const result = await drain(queue, { slots: 2, affected, verify: judge(['a/a1.txt']) });
      expect(result.rejected).toEqual(['a1']);
      expect([...result.landed].sort()).toEqual(['a2', 'b1']);
    });

    it('does not land what was taken back while it was verified', async () => {
      const queue = [await inLane('a1', 'a'), await inLane('a2', 'a'), await inLane('b1', 'b')];
      let waiting = queue;
      const result = await drain(queue, {
        slots: 2,
        affected,
        arrivals: {
          next: () => new Promise(() => undefined),
          read: () => Promise.resolve(waiting),
        },
        verify: () => {
          waiting = queue.filter(({ task }) => task !== 'a1');
          return Promise.resolve(null);
        },
      });
      expect([...result.landed].sort()).toEqual(['a2', 'b1']);
      expect(result).toMatchObject({ rejected: [], left: [] });
      expect(await filesOf(result.tip ?? '')).not.toContain('a/a1.txt');
    });

    it('takes candidates in that are queued while it works', async () => {
      const first = await inLane('a1', 'a');
      const later = await inLane('b1', 'b');
      const waiting = [first];
      let arrived: () => void = () => undefined;
      const result = await drain([first], {
        slots: 2,
        affected,
        arrivals: {
          next: () => new Promise((resolve) => (arrived = resolve)),
          read: () => Promise.resolve([...waiting]),
        },
        verify: async (commit) => {
          if (!(await filesOf(commit)).includes('b/b1.txt') && waiting.length === 1) {
            waiting.push(later);
            arrived();
            while (!log.includes('landed b1')) await new Promise(setImmediate);
          }
          return null;
        },
      });
      expect(result.landed).toEqual(['b1', 'a1']);
    });
  });

  it('refuses to work with a message that does not name the candidate', async () => {
    const item = await added('c');
    await expect(drain([{ ...item, message: 'c: land\n' }])).rejects.toThrow('does not name');
  });
});

import type { Snapshot, SnapshotRequest } from '../isolate/snapshot-worktree';
import type { Fact } from '../model/event';
import { parseRunId, parseTaskId } from '../model/ids';
import type { Settings } from '../model/task';
import { gitAdapter } from '../adapters/simple-git';
import { HandClock } from '../testing/hand-clock';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { Checkpoints } from './checkpoints';

const A = parseTaskId('a');
const B = parseTaskId('b');
const BASE = 'b'.repeat(40);
const landed = { type: 'task:landed', task: B, commit: null, tree: null, at: 0 } as const;
const opened = { type: 'barrier:opened', barrier: 'one', at: 0 } as const;

let repository: TestRepository;
beforeAll(async () => {
  repository = await makeRepository();
});
afterAll(() => repository.cleanup());

/** Checkpoints over a pool that answers when the test says so. */
function rig(when: Settings['checkpoint']) {
  const clock = new HandClock();
  const facts: Fact[] = [];
  const asked: SnapshotRequest[] = [];
  const answers: ((answer: Partial<Snapshot> | Error) => void)[] = [];
  const checkpoints = new Checkpoints({
    clock,
    git: gitAdapter(),
    root: repository.root,
    run: parseRunId('PEXEC-1'),
    when,
    pool: {
      snapshot: (request) => {
        asked.push(request);
        return new Promise((resolve, reject) => {
          answers.push((answer) => {
            const plain = { commit: 'c'.repeat(40), tree: 't', changed: true, missing: null };
            if (answer instanceof Error) reject(answer);
            else resolve({ ...plain, ...answer });
          });
        });
      },
    },
    emit: (fact) => {
      facts.push(fact);
      return Promise.resolve();
    },
  });
  const watch = (task = A) =>
    checkpoints.watch({ task, attempt: 2, worktree: `/w/${task}`, base: BASE });
  const answer = async (given: Partial<Snapshot> | Error = {}): Promise<void> => {
    await until(() => answers.length > 0);
    answers.shift()?.(given);
  };
  return { clock, facts, asked, checkpoints, watch, answer };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
/** Long enough for anything that is under way without us. */
async function still(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('checkpoints at an interval', () => {
  it('are made every so often while an attempt runs, and told when something changed', async () => {
    const { clock, watch, asked, answer, facts } = rig(1000);
    const attempt = watch();
    clock.pass(999);
    expect(asked).toEqual([]);
    clock.pass(1);
    await answer();
    await until(() => facts.length === 1);
    const ref = 'refs/parallel/PEXEC-1/a/wip-2';
    const commit = 'c'.repeat(40);
    expect(asked[0]).toMatchObject({ path: '/w/a', base: BASE, ref, previous: null });
    expect(facts).toEqual([
      { type: 'task:checkpointed', task: A, attempt: 2, ref, commit, at: 1000 },
    ]);
    expect(attempt.ref).toBe(ref);
    await until(() => clock.waiting === 1);
    clock.pass(1000);
    await answer({ changed: false });
    await until(() => clock.waiting === 1);
    expect(asked[1]?.previous).toBe(commit);
    expect(facts).toHaveLength(1);
    expect(attempt.ref).toBe(ref);
    await attempt.end();
  });

  it('wait for the one that is being made, however long it takes', async () => {
    const { clock, watch, asked, answer } = rig(1000);
    const attempt = watch();
    clock.pass(5000);
    await until(() => asked.length === 1);
    expect(clock.waiting).toBe(0);
    await answer();
    await until(() => clock.waiting === 1);
    expect(asked).toHaveLength(1);
    await attempt.end();
  });

  it('read a few worktrees at once', async () => {
    const { clock, watch, asked, answer } = rig(1000);
    const attempts = ['a', 'b', 'c', 'd', 'e'].map((name) => watch(parseTaskId(name)));
    clock.pass(1000);
    await until(() => asked.length === 2);
    await still();
    expect(asked).toHaveLength(2);
    for (let n = 0; n < 5; n += 1) await answer();
    await until(() => clock.waiting === 1);
    expect(asked.map(({ path }) => path).sort()).toEqual(['/w/a', '/w/b', '/w/c', '/w/d', '/w/e']);
    await Promise.all(attempts.map((attempt) => attempt.end()));
  });

  it('end with the attempt, and leave no timer behind', async () => {
    const { clock, watch, asked, answer } = rig(1000);
    const attempt = watch();
    clock.pass(1000);
    await until(() => asked.length === 1);
    let isOver = false;
    const over = attempt.end().then(() => (isOver = true));
    await still();
    // Its worktree may not go while it is read.
    expect(isOver).toBe(false);
    await answer();
    await over;
    await still();
    expect(clock.waiting).toBe(0);
    await attempt.save();
    expect(asked).toHaveLength(1);
  });

  it('that fail are told once, and go on', async () => {
    const { clock, watch, answer, facts } = rig(1000);
    const attempt = watch();
    for (const outcome of [new Error('disk full'), new Error('disk full'), {}]) {
      await until(() => clock.waiting === 1);
      clock.pass(1000);
      await answer(outcome);
    }
    await until(() => facts.length === 2);
    expect(facts).toMatchObject([
      { type: 'checkpoint:failed', task: A, attempt: 2, message: 'disk full' },
      { type: 'task:checkpointed' },
    ]);
    await attempt.end();
  });

  it('of an attempt that was tried twice at once follow the later one', async () => {
    const { clock, watch, asked, answer } = rig(1000);
    const first = watch();
    const second = watch();
    await first.end();
    clock.pass(1000);
    await answer();
    expect(asked).toHaveLength(1);
    await second.end();
    expect(clock.waiting).toBe(0);
  });
});

describe('checkpoints at events', () => {
  it.each([
    ['task', landed, opened],
    ['phase', opened, landed],
  ] as const)('of the kind %s are made then, and at nothing else', async (when, event, other) => {
    const { checkpoints, watch, asked, answer, clock } = rig(when);
    const attempt = watch();
    checkpoints.take(other);
    await still();
    expect(asked).toEqual([]);
    checkpoints.take(event);
    await answer();
    expect(asked).toHaveLength(1);
    expect(clock.waiting).toBe(0);
    await attempt.end();
  });

  it('that come while one is made are made up for once', async () => {
    const { checkpoints, watch, asked, answer } = rig('task');
    const attempt = watch();
    checkpoints.take(landed);
    await until(() => asked.length === 1);
    for (let n = 0; n < 5; n += 1) checkpoints.take(landed);
    await answer();
    await answer();
    await still();
    expect(asked).toHaveLength(2);
    await attempt.end();
  });

  it('are not made at events when there is an interval', async () => {
    const { checkpoints, watch, asked } = rig(1000);
    const attempt = watch();
    checkpoints.take(landed);
    checkpoints.take(opened);
    await still();
    expect(asked).toEqual([]);
    await attempt.end();
  });
});

describe('the ref of checkpoints', () => {
  const REF = 'refs/parallel/PEXEC-1/a/wip-2';
  const head = () => repository.git(['rev-parse', 'HEAD']);
  const refs = () => repository.git(['for-each-ref', '--format=%(refname)', 'refs/parallel/']);

  it('goes with the attempt whose work is kept elsewhere', async () => {
    const { checkpoints, watch, answer } = rig('task');
    const attempt = watch();
    checkpoints.take(landed);
    const commit = await head();
    await repository.git(['update-ref', REF, commit]);
    await answer({ commit });
    await attempt.end();
    expect(attempt.ref).toBe(REF);
    await attempt.drop();
    expect(await refs()).toBe('');
    expect(attempt.ref).toBeNull();
  });

  it('stays when somebody else has moved it', async () => {
    const { checkpoints, watch, answer } = rig('task');
    const attempt = watch();
    checkpoints.take(landed);
    await answer({ commit: await head() });
    await attempt.end();
    const other = await repository.commit({ 'b.txt': 'b' }, 'other');
    await repository.git(['update-ref', REF, other]);
    await attempt.drop();
    expect(await refs()).toBe(REF);
    await repository.git(['update-ref', '-d', REF]);
  });
});

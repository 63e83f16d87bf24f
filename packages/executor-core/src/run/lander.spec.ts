import { parseRunId, parseTaskId } from '../model/ids';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { HandClock } from '../testing/hand-clock';
import { gitAdapter } from '../adapters/simple-git';
import { mergeInMemory } from '../merge/merge-tree';
import { commitMessage } from '../merge/trailers';
import type { LanderContext, Waiting } from './lander';
import { Lander } from './lander';

it('a lander that was told to stop is idle, also when something is queued afterwards', async () => {
  const lander = new Lander({} as LanderContext);
  lander.halt();
  lander.request();
  await lander.idle();
});

describe('the target', () => {
  const run = parseRunId('PEXEC-1');
  const ref = 'refs/heads/integration';
  let repository: TestRepository;
  let clock: HandClock;
  let lander: Lander;
  let waiting: Waiting[];
  let published: number;

  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': 'one\n' });
    await repository.git(['update-ref', ref, 'HEAD']);
    const fence = { ref: 'refs/parallel/fence', id: await repository.git(['rev-parse', 'HEAD']) };
    await repository.git(['update-ref', fence.ref, fence.id]);
    clock = new HandClock();
    waiting = [];
    published = 0;
    const git = gitAdapter();
    lander = new Lander({
      run,
      root: repository.root,
      git,
      clock,
      mutex: { with: (_path, body) => body() },
      mergeLock: 'merge',
      fence,
      onTakenOver: () => undefined,
      integrationRef: ref,
      waiting: () => Promise.resolve([...waiting]),
      verifier: null,
      slots: 1,
      shared: false,
      checkFences: () => Promise.resolve(() => true),
      conflictPolicy: 'auto_merge',
      style: { merge: mergeInMemory },
      messageOf: ({ task, attempt, candidate }) =>
        commitMessage({
          run,
          task,
          agent: null,
          attempt,
          prompt: null,
          candidate: candidate.commit,
        }),
      gather: () => Promise.resolve(),
      publish: () => {
        published += 1;
        return Promise.resolve(true);
      },
      insist: (work) => work(),
      emit: (fact) => {
        if (fact.type === 'task:landed') waiting = waiting.filter(({ task }) => task !== fact.task);
        return Promise.resolve();
      },
    });
  });
  afterEach(async () => {
    await lander.idle();
    await repository.cleanup();
  });

  async function land(name: string): Promise<void> {
    const base = await repository.git(['rev-parse', ref]);
    await repository.git(['checkout', '-q', '--detach', base]);
    await repository.write({ [`${name}.txt`]: name });
    await repository.git(['add', '-A']);
    await repository.git(['commit', '-qm', name]);
    const commit = await repository.git(['rev-parse', 'HEAD']);
    const tree = await repository.git(['rev-parse', 'HEAD^{tree}']);
    const files = [`${name}.txt`];
    const candidate = { ref, commit, tree, base, fence: 1, noop: false, files, fileCount: 1 };
    waiting.push({ task: parseTaskId(name), attempt: 1, candidate });
    lander.request();
    while (waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const turns = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  it('follows what lands within a tenth of a second, and then those of the next second, together', async () => {
    await land('one');
    await land('two');
    await turns();
    expect(published).toBe(0);
    clock.pass(100);
    await turns();
    expect(published).toBe(1);
    await land('three');
    await land('four');
    clock.pass(900);
    await turns();
    expect(published).toBe(1);
    clock.pass(100);
    await turns();
    expect(published).toBe(2);
    clock.pass(5000);
    await turns();
    expect(published).toBe(2);
  });

  it('has everything once the rest is published, also by a lander that was told to stop', async () => {
    await land('one');
    await turns();
    expect(published).toBe(0);
    lander.halt();
    await lander.idle();
    expect(clock.waiting).toBe(0);
    await lander.publishRest();
    expect(published).toBe(1);
    await lander.publishRest();
    expect(published).toBe(1);
  });
});

import { nodeToolbox } from '../create-executor';
import type { RunResult } from '../model/result';
import type { Settings } from '../model/task';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { planOf } from '../testing/plan';
import { openEngine } from './engine';
import { startRun } from './run';

jest.setTimeout(60_000);

const TEN = '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n';

/** Each agent writes its name into line 5, and waits until the other has read the file. */
const RIVAL = {
  command: [
    'other=$([ $PARALLEL_TASK_ID = a ] && echo b || echo a)',
    'touch "$RENDEZVOUS/$PARALLEL_TASK_ID"; for i in $(seq 600); do [ -e "$RENDEZVOUS/$other" ] && break; sleep 0.05; done',
    'sed -i "s/^5$/by $PARALLEL_TASK_ID/" a.txt; echo $PARALLEL_TASK_ID > own-$PARALLEL_TASK_ID.txt',
  ].join('\n'),
};

describe('merge_strategy', () => {
  let repository: TestRepository;
  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': TEN });
  });
  afterEach(() => repository.cleanup());

  async function run(settings: Partial<Settings>): Promise<RunResult> {
    const plan = planOf({
      agents: [{ ...RIVAL, env: { RENDEZVOUS: `${repository.root}/..` } }],
      tasks: [
        { id: 'a', writes: ['*.txt'] },
        { id: 'b', writes: ['*.txt'] },
      ],
      settings: { conflictPolicy: 'auto_merge', ...settings },
    });
    const engine = await openEngine(nodeToolbox(), repository.root, 30_000);
    return (await startRun(engine, plan, { frontDoor: 'api' })).done;
  }

  it.each(['ours', 'theirs'] as const)(
    'lands two agents that changed the same line at their first attempt with %s, and drops no file',
    async (mergeStrategy) => {
      const result = await run({ mergeStrategy });
      expect(result.parallel_execution.tasks.completed).toBe(2);
      const [first, second] = result.merges.map(({ task }) => task);
      const winner = mergeStrategy === 'ours' ? first : second;
      const text = await repository.git(['show', 'main:a.txt']);
      expect(text).toBe(TEN.replace('5', `by ${winner}`).trim());
      expect(await repository.git(['ls-files'])).toContain('own-b.txt');
      expect(
        await repository.git(['log', '--format=%(trailers:key=Parallel-Attempt,valueonly)']),
      ).not.toContain('2');
      expect(await repository.git(['status', '--porcelain'])).toBe('');
    },
  );
});

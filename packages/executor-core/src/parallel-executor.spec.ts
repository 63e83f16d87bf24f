import { ParallelExecutor } from './parallel-executor';
import type { TestRepository } from './testing/git-repository';
import { makeRepository } from './testing/git-repository';

jest.setTimeout(30_000);

let repository: TestRepository;
beforeEach(async () => {
  repository = await makeRepository({ 'README.md': 'hello\n' });
});
afterEach(async () => {
  await repository.cleanup();
});

/** An executor whose agents do what `work` says by task; a task that it does not know just ends. */
function executorOf(work: Readonly<Record<string, () => unknown>>): ParallelExecutor {
  return new ParallelExecutor({
    cwd: repository.root,
    maxAgents: 4,
    retryPolicy: { maxRetries: 0 },
    agents: { it: (task) => work[task.id]?.() },
  });
}
const TASKS = [
  { id: 'a', agent: 'it', phase: 'phase_1', writes: ['a'] },
  { id: 'b', agent: 'it', phase: 'phase_2', writes: ['b'] },
];

describe('barriers of the executor', () => {
  it('can be waited for by their own name, and by the phase they close', async () => {
    const order: string[] = [];
    const executor = executorOf({ b: () => order.push('b') });
    const { barrier } = executor;
    const waiting = barrier.wait('phase_1').then(() => order.push('phase_1'));
    const last = executor.barrier('phase_2').wait();
    const done = executor.execute(TASKS);
    await waiting;
    await last;
    expect((await done).parallel_execution.tasks.completed).toBe(2);
    expect(order[0]).toBe('phase_1');
  });

  it('reject at once when they can never open', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const executor = executorOf({
      a: () => {
        throw new Error('no');
      },
      free: () => held,
    });
    const free = { id: 'free', agent: 'it', writes: ['free'] };
    const done = executor.execute([...TASKS, free]);
    await expect(executor.barrier.wait('phase_2')).rejects.toThrow('can never open');
    release();
    expect((await done).parallel_execution.tasks.failed).toBeGreaterThan(0);
  });
});

import { callerQueue, type Leave } from './lockfile-queue';

const NEVER_MS = 60_000;

async function entered(turn: Promise<Leave | null>): Promise<Leave> {
  const leave = await turn;
  if (leave === null) throw new Error('timed out');
  return leave;
}

describe('the queue of callers in one process', () => {
  it('lets the first caller in at once and the others in the order they came', async () => {
    const queue = callerQueue();
    const order: number[] = [];
    const first = await entered(queue.enter('a', NEVER_MS));
    const others = [1, 2, 3].map(async (number) => {
      const leave = await entered(queue.enter('a', NEVER_MS));
      order.push(number);
      leave();
    });
    expect(order).toEqual([]);
    first();
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
  });

  it('keeps different keys apart', async () => {
    const queue = callerQueue();
    const a = await entered(queue.enter('a', NEVER_MS));
    const b = await entered(queue.enter('b', NEVER_MS));
    a();
    b();
  });

  it('answers null to a caller whose time is up, and serves the one behind', async () => {
    const queue = callerQueue();
    const first = await entered(queue.enter('a', NEVER_MS));
    const impatient = queue.enter('a', 5);
    const patient = queue.enter('a', NEVER_MS);
    expect(await impatient).toBeNull();
    first();
    (await entered(patient))();
  });

  it('does not let anyone in early when a caller leaves twice', async () => {
    const queue = callerQueue();
    const first = await entered(queue.enter('a', NEVER_MS));
    const secondTurn = queue.enter('a', NEVER_MS);
    first();
    const second = await entered(secondTurn);
    const third = queue.enter('a', 20);
    first();
    expect(await third).toBeNull();
    second();
  });
});

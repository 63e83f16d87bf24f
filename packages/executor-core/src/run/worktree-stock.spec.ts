import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { HandClock } from '../testing/hand-clock';
import { WorktreeStock } from './worktree-stock';

const task = parseTaskId('a');
const LANDED: RunEvent = { type: 'task:landed', task, commit: null, tree: null, at: 0 };
const PROGRESS: RunEvent = { type: 'task:progress', task, percent: 5, note: '', at: 0 };

describe('the stock of worktrees', () => {
  let clock: HandClock;
  let wanted: number;
  let made: number;
  let prepared: number;
  let stock: WorktreeStock;
  let onMade: () => void;

  beforeEach(() => {
    clock = new HandClock();
    wanted = 3;
    made = 0;
    prepared = 0;
    onMade = () => undefined;
    stock = new WorktreeStock({
      clock,
      prepare: () => {
        prepared += 1;
        return Promise.resolve();
      },
      tip: () => Promise.resolve('tip'),
      wanted: () => wanted,
      pool: {
        addSpare: (_commit, most) => {
          if (made >= most) return Promise.resolve(false);
          made += 1;
          onMade();
          return Promise.resolve(true);
        },
      },
    });
  });

  it('is filled when nothing has begun or ended for a moment', async () => {
    stock.take(LANDED);
    clock.pass(40);
    stock.take(LANDED);
    clock.pass(40);
    stock.take(PROGRESS);
    expect([prepared, made]).toEqual([0, 0]);
    clock.pass(10);
    await turns();
    expect([prepared, made]).toEqual([1, 3]);
  });

  it('waits again when something happens while it is filled', async () => {
    onMade = () => {
      stock.take(LANDED);
    };
    stock.take(LANDED);
    clock.pass(50);
    await turns();
    expect(made).toBe(1);
    clock.pass(50);
    await turns();
    expect(made).toBe(2);
  });

  it('has nothing when nothing is to come', async () => {
    wanted = 0;
    stock.take(LANDED);
    clock.pass(50);
    await turns();
    expect(made).toBe(0);
  });

  it('makes no more once it is closed', async () => {
    onMade = () => void stock.close();
    stock.take(LANDED);
    clock.pass(50);
    await stock.close();
    await turns();
    stock.take(LANDED);
    expect(clock.waiting).toBe(0);
    expect(made).toBeLessThanOrEqual(1);
  });
});

/** Everything that waits for nothing outside is done. */
function turns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import type { ProcessExit, RunningProcess } from '../ports/process-runner';
import { HandClock } from '../testing/hand-clock';
import { StopOrder } from './stop-order';
import { suspendable } from './suspension';

describe('what is suspended', () => {
  let clock: HandClock;
  let order: StopOrder;
  let signals: string[];
  let end: (exit: ProcessExit) => void;

  beforeEach(() => {
    clock = new HandClock();
    order = new StopOrder();
    signals = [];
  });

  const spec = { argv: ['x'], cwd: '/', env: {}, stdin: null, outputPath: '/log' };
  const started = (): RunningProcess => ({
    identity: { pid: 1, startTime: '1', bootId: 'b', host: 'h' },
    exited: new Promise((resolve) => {
      end = resolve;
    }),
    signal: (signal) => {
      signals.push(signal);
    },
  });
  const runner = { start: () => Promise.resolve(started()) };

  it('stands still, and goes on, with the attempt', async () => {
    await suspendable({ runner, clock }, order, async (tools) => {
      const process = await tools.runner.start(spec);
      order.suspend();
      order.suspend();
      expect(signals).toEqual(['SIGSTOP']);
      order.resume();
      expect(signals).toEqual(['SIGSTOP', 'SIGCONT']);
      end({ code: 0, signal: null });
      await process.exited;
    });
    order.suspend();
    expect(signals).toHaveLength(2);
  });

  it('stands still from its start when the attempt did before', async () => {
    order.suspend();
    await suspendable({ runner, clock }, order, async (tools) => {
      await tools.runner.start(spec);
      expect(signals).toEqual(['SIGSTOP']);
    });
  });

  it('has its time for work alone', async () => {
    await suspendable({ runner, clock }, order, (tools) => {
      let rang = 0;
      const early = tools.clock.after(100, () => (rang += 1));
      clock.pass(60);
      order.suspend();
      tools.clock.after(30, () => (rang += 1));
      clock.pass(1000);
      expect([rang, tools.clock.now()]).toEqual([0, 60]);
      order.resume();
      clock.pass(30);
      expect([rang, tools.clock.now()]).toEqual([1, 90]);
      clock.pass(10);
      expect(rang).toBe(2);
      early();
      return Promise.resolve();
    });
  });

  it('goes on when it is to end', async () => {
    order.suspend();
    await suspendable({ runner, clock }, order, async (tools) => {
      await tools.runner.start(spec);
      let rang = 0;
      tools.clock.after(100, () => (rang += 1));
      order.give('interrupt');
      expect(signals).toEqual(['SIGSTOP', 'SIGCONT']);
      clock.pass(100);
      expect(rang).toBe(1);
    });
  });

  it('leaves no timer behind', async () => {
    await suspendable({ runner, clock }, order, (tools) => {
      tools.clock.after(100, () => undefined);
      return Promise.resolve();
    });
    expect(clock.waiting).toBe(0);
    expect(() => {
      order.suspend();
    }).not.toThrow();
  });
});

import { EventEmitter, once } from 'node:events';
import { abortOnStop, type StopSource } from './abort-on-stop';

class FakeProcess extends EventEmitter implements StopSource {
  exit(code: number): void {
    this.emit('exited', code);
  }
}

describe('abortOnStop', () => {
  it.each(['SIGINT', 'SIGTERM', 'disconnect'])('aborts on %s and names it', (event) => {
    const source = new FakeProcess();
    const stop = abortOnStop(source);
    expect(stop.signal.aborted).toBe(false);
    source.emit(event);
    expect(stop.signal.reason).toBe(event);
    stop.dispose();
  });

  it('ends the process when the work has not ended within the grace', async () => {
    const source = new FakeProcess();
    const stop = abortOnStop(source, 1);
    const exited = once(source, 'exited');
    source.emit('SIGINT');
    source.emit('SIGTERM');
    await expect(exited).resolves.toEqual([130]);
    stop.dispose();
  });

  it('leaves neither listeners nor a timer behind', () => {
    jest.useFakeTimers();
    const source = new FakeProcess();
    const stop = abortOnStop(source);
    source.emit('SIGTERM');
    expect(jest.getTimerCount()).toBe(1);
    stop.dispose();
    expect(jest.getTimerCount()).toBe(0);
    expect(source.eventNames()).toEqual([]);
    jest.useRealTimers();
  });
});

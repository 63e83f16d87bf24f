import { EventEmitter } from 'node:events';
import { outOf } from './terminal';

/** A stream whose reader can go away. */
class Pipe extends EventEmitter {
  isTTY = false;
  columns = 80;
  rows = 24;
  readonly written: string[] = [];

  write(text: string): boolean {
    this.written.push(text);
    return true;
  }
}

function wrap(pipe: Pipe) {
  return outOf(pipe as unknown as NodeJS.WriteStream);
}

describe('an output stream', () => {
  it('drops what is written after its reader went away, and says so', () => {
    const pipe = new Pipe();
    const out = wrap(pipe);
    const closed = jest.fn();
    out.onClose(closed);
    out.write('one');
    pipe.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    out.write('two');
    expect(pipe.written).toEqual(['one']);
    expect(out.closed).toBe(true);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('does not hide other errors', () => {
    const pipe = new Pipe();
    wrap(pipe);
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    expect(() => pipe.emit('error', full)).toThrow('no space left');
  });

  it('has a size only in a terminal, and tells when it changes', () => {
    const pipe = new Pipe();
    const out = wrap(pipe);
    expect(out.columns).toBeUndefined();
    pipe.isTTY = true;
    expect([out.columns, out.rows]).toEqual([80, 24]);
    const resized = jest.fn();
    const stop = out.onResize(resized);
    pipe.emit('resize');
    stop();
    pipe.emit('resize');
    expect(resized).toHaveBeenCalledTimes(1);
  });
});

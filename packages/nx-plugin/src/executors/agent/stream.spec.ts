import { Stream } from './stream';

async function drain(stream: Stream<number>): Promise<readonly number[]> {
  const seen: number[] = [];
  for await (const item of stream) seen.push(item);
  return seen;
}

describe('Stream', () => {
  it('gives what was pushed before and while it is read, in order, until its end', async () => {
    const stream = new Stream<number>();
    stream.push(1);
    const read = drain(stream);
    stream.push(2);
    await Promise.resolve();
    stream.push(3);
    stream.end();
    expect(await read).toEqual([1, 2, 3]);
  });

  it('loses nothing that was pushed while the reader was busy', async () => {
    const stream = new Stream<number>();
    const seen: number[] = [];
    for (const item of [1, 2]) stream.push(item);
    for await (const item of stream) {
      seen.push(item);
      if (item === 1) stream.push(3);
      if (item === 3) stream.end();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it('is empty when nothing comes', async () => {
    const stream = new Stream<number>();
    stream.end();
    expect(await drain(stream)).toEqual([]);
  });
});

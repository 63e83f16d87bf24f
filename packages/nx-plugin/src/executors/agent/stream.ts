/** What is pushed comes out in order, to one reader, until the end. */
export class Stream<T> implements AsyncIterable<T> {
  private readonly items: T[] = [];
  private ended = false;
  private wake: () => void = () => undefined;

  push(item: T): void {
    this.items.push(item);
    this.wake();
  }

  /** Nothing more comes; what was pushed is still read. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      yield* this.items.splice(0);
      if (this.items.length > 0) continue;
      if (this.ended) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

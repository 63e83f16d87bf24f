/** Order to stop one attempt; `how` grows stronger, never weaker. */
export class StopOrder {
  how: 'interrupt' | 'kill' | null = null;
  private readonly abort = new AbortController();
  private onChange: () => void = () => undefined;

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  give(how: 'interrupt' | 'kill'): void {
    if (this.how === 'kill') return;
    this.how = how;
    this.abort.abort();
    this.onChange();
  }

  /** Calls `listener` now if the order was given already, and at each change. */
  listen(listener: () => void): void {
    this.onChange = listener;
    if (this.how !== null) listener();
  }
}

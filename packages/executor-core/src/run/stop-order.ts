/**
 * What one attempt was told from outside: to end (`how` grows stronger, never weaker), or to stand still
 * for a while. It outlives the processes of the attempt, so an order that comes between two of them
 * reaches the next one.
 */
export class StopOrder {
  how: 'interrupt' | 'kill' | null = null;
  suspended = false;
  private readonly abort = new AbortController();
  private readonly listeners = new Set<() => void>();

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  give(how: 'interrupt' | 'kill'): void {
    if (this.how === 'kill') return;
    this.how = how;
    this.abort.abort();
    this.tell();
  }

  suspend(): void {
    this.suspended = true;
    this.tell();
  }

  resume(): void {
    this.suspended = false;
    this.tell();
  }

  /** Calls `listener` now if there is an order already, and at each change, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    if (this.how !== null || this.suspended) listener();
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

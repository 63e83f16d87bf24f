/** A binary min-heap of numbers ordered by a key; equal keys leave in order of the number. */
export class Heap {
  private readonly items: number[] = [];

  constructor(private readonly key: (item: number) => number) {}

  get size(): number {
    return this.items.length;
  }

  push(item: number): void {
    let at = this.items.push(item) - 1;
    for (let up = (at - 1) >> 1; at > 0 && this.isBefore(at, up); up = (at - 1) >> 1) {
      this.swap(at, up);
      at = up;
    }
  }

  /** Removes the smallest; the heap must not be empty. */
  pop(): number {
    this.swap(0, this.items.length - 1);
    const item = this.items.pop();
    if (item === undefined) throw new RangeError('The heap is empty.');
    for (let at = 0, child = this.smallerChild(0); child !== null && this.isBefore(child, at);) {
      this.swap(at, child);
      at = child;
      child = this.smallerChild(at);
    }
    return item;
  }

  private smallerChild(at: number): number | null {
    const left = 2 * at + 1;
    if (left >= this.items.length) return null;
    return left + 1 < this.items.length && this.isBefore(left + 1, left) ? left + 1 : left;
  }

  private isBefore(a: number, b: number): boolean {
    const [x, y] = [this.items[a] ?? 0, this.items[b] ?? 0];
    const lead = this.key(x) - this.key(y);
    return lead < 0 || (lead === 0 && x < y);
  }

  private swap(a: number, b: number): void {
    const [x, y] = [this.items[a], this.items[b]];
    if (x === undefined || y === undefined) return;
    this.items[a] = y;
    this.items[b] = x;
  }
}

import fc from 'fast-check';
import { NO_CLASS } from './limit-classes';
import { ReadyQueue } from './ready-queue';

const SIZE = 90;

describe('ReadyQueue', () => {
  const layout = {
    classes: Int32Array.from({ length: SIZE }, (_, rank) => (rank % 4) - 1),
    classCount: 3,
    phases: Int32Array.from({ length: SIZE }, (_, rank) => (rank % 5) - 1),
    phaseCount: 4,
  };
  const isOpen = (rank: number, phase: number): boolean => (layout.phases[rank] ?? -1) <= phase;

  it('holds what was put in and whose phase is open, counted by class, and leaves older queues alone', () => {
    const rank = fc.nat({ max: SIZE - 1 });
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('add', 'delete', 'open'), ranks: fc.tuple(rank) }),
      fc.record({ kind: fc.constant('add'), ranks: fc.uniqueArray(rank) }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(rank), fc.array(step), (first, steps) => {
        let queue = ReadyQueue.of(layout, first);
        const model = new Set(first);
        let phase = 0;
        const read = (one: ReadyQueue): readonly number[] => {
          const ranks: number[] = [];
          one.some((item) => ranks.push(item) < 0);
          return ranks;
        };
        for (const { kind, ranks } of steps) {
          const [before, old] = [read(queue), queue];
          if (kind === 'open') {
            phase = Math.min(phase + 1, 4);
            queue = queue.openUpTo(phase);
          } else if (kind === 'delete') {
            ranks.forEach((item) => model.delete(item));
            queue = ranks.reduce((rest: ReadyQueue, item) => rest.delete(item), queue);
          } else {
            ranks.forEach((item) => model.add(item));
            queue = queue.addAll(ranks);
          }
          expect(read(old)).toEqual(before);
          const expected = [...model].filter((item) => isOpen(item, phase)).sort((a, b) => a - b);
          expect(read(queue)).toEqual(expected);
          expect(queue.size).toBe(expected.length);
          const counts = [0, 0, 0];
          for (const item of expected) {
            const limitClass = layout.classes[item] ?? NO_CLASS;
            if (limitClass !== NO_CLASS) counts[limitClass] = (counts[limitClass] ?? 0) + 1;
          }
          expect(queue.classCounts()).toEqual(counts);
        }
      }),
    );
  });

  it('is the same queue where nothing changes', () => {
    const queue = ReadyQueue.of(layout, [1, 2, 3]);
    expect(queue.add(2)).toBe(queue);
    expect(queue.addAll([2, 3])).toBe(queue);
    expect(queue.addAll([])).toBe(queue);
    expect(queue.delete(7)).toBe(queue);
    expect(queue.has(1) && !queue.has(7)).toBe(true);
  });
});

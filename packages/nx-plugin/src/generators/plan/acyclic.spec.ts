import fc from 'fast-check';
import { withoutCycles } from './acyclic';

describe('withoutCycles', () => {
  it('drops only the edge that closes a circle', () => {
    const edges = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', ['a']],
    ]);
    expect(Object.fromEntries(withoutCycles(edges))).toEqual({ a: ['b', 'c'], b: ['c'], c: [] });
  });

  it('leaves no circle, invents no edge, and keeps an acyclic graph whole', () => {
    const node = fc.integer({ min: 0, max: 7 });
    fc.assert(
      fc.property(fc.array(fc.tuple(node, node)), (pairs) => {
        const all = toEdges(pairs);
        const kept = withoutCycles(all);
        expect(isAcyclic(kept)).toBe(true);
        for (const [from, targets] of kept) {
          for (const to of targets) expect(all.get(from)).toContain(to);
        }
        const forward = toEdges(pairs.filter(([from, to]) => from < to));
        expect(withoutCycles(forward)).toEqual(forward);
      }),
    );
  });
});

function toEdges(pairs: readonly (readonly [number, number])[]): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  for (let n = 0; n < 8; n++) edges.set(String(n), []);
  for (const [from, to] of pairs) edges.get(String(from))?.push(String(to));
  return edges;
}

/** Kahn's algorithm: an acyclic graph can be taken apart node by node. */
function isAcyclic(edges: ReadonlyMap<string, readonly string[]>): boolean {
  const left = new Map(edges);
  for (let removed = true; removed && left.size > 0;) {
    const free = [...left].filter(([, targets]) => targets.every((to) => !left.has(to)));
    removed = free.length > 0;
    for (const [node] of free) left.delete(node);
  }
  return left.size === 0;
}

import fc from 'fast-check';
import { findCycles } from './cycles';

const edges = (table: Record<string, readonly string[]>) => new Map(Object.entries(table));

describe('findCycles', () => {
  it('finds none in an acyclic graph', () => {
    expect(findCycles(edges({ a: ['b', 'c'], b: ['c'], c: [] }))).toEqual([]);
  });

  it('writes a cycle as a path that returns to its start', () => {
    expect(findCycles(edges({ x: ['a'], a: ['b'], b: ['c'], c: ['a'] }))).toEqual([
      ['a', 'b', 'c', 'a'],
    ]);
  });

  it('sees a node that points at itself', () => {
    expect(findCycles(edges({ a: ['a'], b: ['a'] }))).toEqual([['a', 'a']]);
  });

  it('gives the shortest way round, and one path for each component', () => {
    const found = findCycles(
      edges({ a: ['b', 'd'], b: ['c'], c: ['a'], d: ['a'], y: ['z'], z: ['y'] }),
    );
    expect(found).toEqual([
      ['a', 'd', 'a'],
      ['y', 'z', 'y'],
    ]);
  });

  it('ignores targets that are no nodes', () => {
    expect(findCycles(edges({ a: ['ghost'] }))).toEqual([]);
  });

  it('survives a chain longer than the call stack', () => {
    const length = 100_000;
    const chain = new Map(
      Array.from({ length }, (_, n) => [String(n), [String((n + 1) % length)]] as const),
    );
    expect(findCycles(chain)[0]).toHaveLength(length + 1);
  });

  it('finds real cycles only, and one exactly where a node can reach itself', () => {
    const graph = fc.array(fc.array(fc.nat(7), { maxLength: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(graph, (rows) => {
        const map = new Map(rows.map((targets, n) => [String(n), targets.map(String)]));
        const cycles = findCycles(map);
        for (const cycle of cycles) {
          expect(cycle[0]).toBe(cycle.at(-1));
          cycle.slice(1).forEach((name, at) => {
            expect(map.get(cycle[at] ?? '')).toContain(name);
          });
        }
        const reach = (from: string): ReadonlySet<string> => {
          const seen = new Set<string>();
          const queue = [from];
          for (const name of queue) {
            for (const next of map.get(name) ?? []) {
              if (!map.has(next) || seen.has(next)) continue;
              seen.add(next);
              queue.push(next);
            }
          }
          return seen;
        };
        const cyclic = [...map.keys()].filter((name) => reach(name).has(name));
        const components = new Set(
          cyclic.map((name) =>
            cyclic.filter((other) => reach(name).has(other) && reach(other).has(name)).join(),
          ),
        );
        expect(cycles).toHaveLength(components.size);
      }),
    );
  });
});

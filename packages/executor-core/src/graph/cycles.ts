/**
 * One readable cycle for every strongly connected component of `edges` that has one: a path whose
 * first and last names are equal (`a → b → a`), as short as a breadth-first search from its first
 * node finds it. Targets that are no keys are ignored. Order follows the map.
 *
 * Algorithm: Tarjan's strongly connected components (1972), iterative, O(nodes + edges), once Kahn's
 * elimination (1962) has told that there are any.
 */
export function findCycles(
  edges: ReadonlyMap<string, readonly string[]>,
): readonly (readonly string[])[] {
  if (isAcyclic(edges)) return [];
  const rank = new Map([...edges.keys()].map((name, index) => [name, index]));
  const rankOf = (name: string | undefined): number => rank.get(name ?? '') ?? 0;
  return components(edges)
    .map((members) => [...members].sort((a, b) => rankOf(a) - rankOf(b)))
    .sort((a, b) => rankOf(a[0]) - rankOf(b[0]))
    .flatMap((members) => {
      const [start] = members;
      const path = start === undefined ? null : shortestCycle(edges, new Set(members), start);
      return path === null ? [] : [path];
    });
}

/** Kahn's elimination, over numbers: it settles the usual case at a fraction of the cost. */
function isAcyclic(edges: ReadonlyMap<string, readonly string[]>): boolean {
  const numbers = new Map<string, number>();
  for (const name of edges.keys()) numbers.set(name, numbers.size);
  const waiting = new Int32Array(numbers.size);
  const starts: number[] = [];
  const targets: number[] = [];
  for (const names of edges.values()) {
    starts.push(targets.length);
    for (const name of names) {
      const target = numbers.get(name);
      if (target === undefined) continue;
      targets.push(target);
      waiting[target] = (waiting[target] ?? 0) + 1;
    }
  }
  const free: number[] = [];
  waiting.forEach((count, node) => {
    if (count === 0) free.push(node);
  });
  // `free` is its own queue: what is appended while we walk is walked later.
  for (const node of free) {
    for (let at = starts[node] ?? 0; at < (starts[node + 1] ?? targets.length); at += 1) {
      const target = targets[at] ?? 0;
      const left = (waiting[target] ?? 0) - 1;
      waiting[target] = left;
      if (left === 0) free.push(target);
    }
  }
  return free.length === numbers.size;
}

interface Visit {
  readonly name: string;
  readonly targets: readonly string[];
  next: number;
}

/** Tarjan's bookkeeping: `index` numbers the nodes by visit, `low` is the oldest one reachable. */
interface Search {
  readonly index: Map<string, number>;
  readonly low: Map<string, number>;
  readonly onStack: Set<string>;
  readonly stack: string[];
  readonly visits: Visit[];
}

function components(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const search: Search = {
    index: new Map(),
    low: new Map(),
    onStack: new Set(),
    stack: [],
    visits: [],
  };
  const found: (readonly string[])[] = [];
  for (const root of edges.keys()) {
    if (!search.index.has(root)) enter(search, edges, root);
    for (let visit = search.visits.at(-1); visit !== undefined; visit = search.visits.at(-1)) {
      const target = visit.targets[visit.next];
      visit.next += 1;
      if (target === undefined) leave(search, visit.name, found);
      else if (!edges.has(target)) continue;
      else if (!search.index.has(target)) enter(search, edges, target);
      else if (search.onStack.has(target)) lower(search, visit.name, search.index.get(target));
    }
  }
  return found;
}

function enter(search: Search, edges: ReadonlyMap<string, readonly string[]>, name: string): void {
  search.low.set(name, search.index.size);
  search.index.set(name, search.index.size);
  search.onStack.add(name);
  search.stack.push(name);
  search.visits.push({ name, targets: edges.get(name) ?? [], next: 0 });
}

function leave(search: Search, name: string, found: (readonly string[])[]): void {
  search.visits.pop();
  const parent = search.visits.at(-1);
  if (parent !== undefined) lower(search, parent.name, search.low.get(name));
  if (search.low.get(name) !== search.index.get(name)) return;
  const members = search.stack.splice(search.stack.lastIndexOf(name));
  for (const member of members) search.onStack.delete(member);
  found.push(members);
}

function lower(search: Search, name: string, candidate: number | undefined): void {
  const current = search.low.get(name);
  if (candidate !== undefined && (current === undefined || candidate < current)) {
    search.low.set(name, candidate);
  }
}

function shortestCycle(
  edges: ReadonlyMap<string, readonly string[]>,
  members: ReadonlySet<string>,
  start: string,
): readonly string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const name of queue) {
    for (const target of edges.get(name) ?? []) {
      if (target === start) return [...trace(cameFrom, start, name), start];
      if (!members.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, name);
      queue.push(target);
    }
  }
  return null;
}

function trace(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const path = [end];
  for (let name = end; name !== start;) {
    name = cameFrom.get(name) ?? start;
    path.push(name);
  }
  return path.reverse();
}

import { parseGlob, type GlobPattern, type Units } from './glob-pattern';

const SLASH = 0x2f;
const NAME_UNITS: Units = [
  [0, SLASH - 1],
  [SLASH + 1, 0xffff],
];
const SLASH_UNIT: Units = [[SLASH, SLASH]];

interface Step {
  readonly units: Units;
  readonly to: number;
}

/** A nondeterministic automaton over UTF-16 code units. */
interface Nondeterministic {
  /** Closed: what can be reached without reading is in it. */
  readonly start: readonly number[];
  /** Steps from each state; where they lead is not closed. */
  readonly steps: readonly (readonly Step[])[];
  /** What each state can become without reading, itself included. */
  readonly closure: readonly (readonly number[])[];
  readonly accepting: ReadonlySet<number>;
}

/** The state from which nothing is accepted any more. */
export const DEAD = -1;

/**
 * Accepts the paths of one reading of a glob, unit by unit. Deterministic: the subset construction, done
 * as far as it is asked for and kept, so that the comparisons of a glob with many others share it.
 */
export class GlobAutomaton {
  readonly start: number;
  /** Where a range of units that this automaton tells apart from its neighbours begins. */
  readonly cuts: readonly number[];
  private readonly known = new Map<string, number>();
  private readonly members: (readonly number[])[] = [];
  private readonly moves: Map<number, number>[] = [];
  private readonly final: boolean[] = [];

  constructor(private readonly source: Nondeterministic) {
    this.start = this.enter(source.start);
    const cuts = new Set<number>([0]);
    for (const { units } of source.steps.flat()) {
      for (const [low, high] of units) cuts.add(low).add(high + 1);
    }
    this.cuts = [...cuts].filter((cut) => cut <= 0xffff);
  }

  /** The state after one more unit. */
  next(state: number, unit: number): number {
    const moves = this.moves[state];
    if (moves === undefined) return DEAD;
    const known = moves.get(unit);
    if (known !== undefined) return known;
    const reached = new Set<number>();
    for (const member of this.members[state] ?? []) {
      for (const { units, to } of this.source.steps[member] ?? []) {
        if (!units.some(([low, high]) => low <= unit && unit <= high)) continue;
        for (const closed of this.source.closure[to] ?? []) reached.add(closed);
      }
    }
    const next = this.enter([...reached].sort((x, y) => x - y));
    moves.set(unit, next);
    return next;
  }

  accepts(state: number): boolean {
    return this.final[state] === true;
  }

  private enter(members: readonly number[]): number {
    if (members.length === 0) return DEAD;
    const key = members.join();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const state = this.members.push(members) - 1;
    this.known.set(key, state);
    this.moves.push(new Map());
    this.final.push(members.some((member) => this.source.accepting.has(member)));
    return state;
  }
}

const MAX_CACHED = 2000;
const cache = new Map<string, readonly GlobAutomaton[] | null>();

/** One automaton per reading of the glob; `null` for syntax outside the dialect. */
export function globAutomata(glob: string): readonly GlobAutomaton[] | null {
  const known = cache.get(glob);
  if (known !== undefined) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const automata =
    parseGlob(glob)?.map((pattern) => new GlobAutomaton(new Builder().build(pattern))) ?? null;
  cache.set(glob, automata);
  return automata;
}

/** Thompson's construction. Names are never empty, so a segment is left only after a unit of it was read. */
class Builder {
  private readonly steps: Step[][] = [];
  private readonly silent: number[][] = [];
  private readonly accepting = new Set<number>();

  build({ segments }: GlobPattern): Nondeterministic {
    // Backwards, so that each segment knows where the next one starts.
    let next: number | null = null;
    let mayEnd = true;
    for (const segment of [...segments].reverse()) {
      next =
        segment === '**' ? this.deep(next) : this.name(segment.tokens.map(unitsOf), next, mayEnd);
      mayEnd = segment === '**' && mayEnd;
    }
    const closure = this.silent.map((_, state) => this.close(state));
    return {
      start: next === null ? [] : (closure[next] ?? []),
      steps: this.steps,
      closure,
      accepting: this.accepting,
    };
  }

  /** `**`: any names, each with the separator after it; at the end of the glob the last one has none. */
  private deep(next: number | null): number {
    const start = this.state();
    const within = this.state();
    this.steps[start]?.push({ units: NAME_UNITS, to: within });
    this.steps[within]?.push({ units: NAME_UNITS, to: within }, { units: SLASH_UNIT, to: start });
    if (next === null) this.accepting.add(within);
    else this.silent[start]?.push(next);
    return start;
  }

  /**
   * The states of one name, doubled: before its first unit and after. `mayEnd`: nothing but `**` follows,
   * so the path may end here.
   */
  private name(tokens: readonly (Units | null)[], next: number | null, mayEnd: boolean): number {
    const [fresh, begun] = [tokens, tokens].map((all) =>
      [...all, null].map(() => this.state()),
    ) as [number[], number[]];
    tokens.forEach((units, at) => {
      for (const row of [fresh, begun]) {
        const from = row[at] ?? 0;
        const to = begun[units === null ? at : at + 1] ?? 0;
        this.steps[from]?.push({ units: units ?? NAME_UNITS, to });
        if (units === null) this.silent[from]?.push(row[at + 1] ?? 0);
      }
    });
    const end = begun.at(-1) ?? 0;
    if (mayEnd) this.accepting.add(end);
    if (next !== null) this.steps[end]?.push({ units: SLASH_UNIT, to: next });
    return fresh[0] ?? 0;
  }

  private state(): number {
    this.silent.push([]);
    return this.steps.push([]) - 1;
  }

  private close(state: number): readonly number[] {
    const reached = new Set([state]);
    for (const one of reached) for (const next of this.silent[one] ?? []) reached.add(next);
    return [...reached];
  }
}

/** `null` stands for `*`. */
function unitsOf(token: '*' | Units): Units | null {
  return token === '*' ? null : token;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import type { Core } from '../testing/simulation/core';
import { CORE, Violation } from '../testing/simulation/core';
import type { Mutant } from '../testing/simulation/mutant';
import { MUTANTS } from '../testing/simulation/mutants';
import { simulate } from '../testing/simulation/simulate';

const SEEDS = 1000;
const compiled = new Map<string, string>();

const compile = (source: string): string =>
  transformSync(source, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  }).code;

const readSource = (file: string): string => readFileSync(join(__dirname, file), 'utf8');

function changedSource({ file, find, replace }: Mutant): string {
  const source = readSource(file);
  if (source.split(find).length !== 2) throw new Error(`${file} must contain once: ${find}`);
  return source.replace(find, () => replace);
}

/** The modules of the scheduler, one of them changed; what lies outside of its folder is shared. */
function loadCore(mutant: Mutant): Core {
  const modules = new Map<string, Record<string, unknown>>();
  const load = (file: string): Record<string, unknown> => {
    const known = modules.get(file);
    if (known !== undefined) return known;
    const exports: Record<string, unknown> = {};
    modules.set(file, exports);
    let code = file === mutant.file ? compile(changedSource(mutant)) : compiled.get(file);
    if (code === undefined) {
      code = compile(readSource(file));
      compiled.set(file, code);
    }
    const find = (name: string): unknown =>
      name.startsWith('./') ? load(`${name.slice(2)}.ts`) : jest.requireActual(name);
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- our own source, compiled above
    const body = new Function('require', 'exports', code) as (r: unknown, e: unknown) => void;
    body(find, exports);
    return exports;
  };
  return {
    ...load('decide.ts'),
    ...load('evolve.ts'),
    ...load('problem.ts'),
    ...load('run-state.ts'),
  } as unknown as Core;
}

/** The first seed whose run shows that something is wrong; `null` when none of them does. */
function killedBy(core: Core): { readonly seed: number; readonly why: string } | null {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      simulate(seed, core);
    } catch (error) {
      const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      return { seed, why: error instanceof Violation ? why : `Seed ${seed}: threw: ${why}` };
    }
  }
  return null;
}

describe('a scheduler with a mistake in it', () => {
  it('is loaded like the real one, and without a mistake runs like it', () => {
    const same = {
      name: 'none',
      file: 'decide.ts',
      find: 'mayStart(turn)) startReady',
      replace: 'mayStart(turn)) startReady',
    };
    const core = loadCore(same);
    expect(core.decide).not.toBe(CORE.decide);
    for (let seed = 1; seed <= 20; seed += 1)
      expect(simulate(seed, core)).toEqual(simulate(seed, CORE));
  });

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    (_, mutant) => {
      expect(killedBy(loadCore(mutant))).not.toBeNull();
    },
    120_000,
  );
});

import fc from 'fast-check';
import { z } from 'zod';
import { checkSchema } from './check-schema';
import { locateValue, plainValue } from './located';
import { planFileSchema } from './plan-schema';
import { MISFIT, quickCheckOf } from './quick-check';
import { Report } from './report';

const JUNK: readonly unknown[] = [
  ...[null, '', 'x', '30s', 0, 1, -1, 1.5, 101, 1e300, Number.NaN, Infinity, true, false],
  ...[[], [''], ['a'], [null], {}, { a: 1 }, { command: 'x' }, { max_parallel: 1 }, { id: 'a' }],
];

/** Values a schema might take: mostly such as fit it, and now and then anything. */
function valuesOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 150, arbitrary: fittingOf(schema) },
    { weight: 1, arbitrary: fc.constantFrom(...JUNK) },
  );
}

const SCALARS = ['a', 'b', '30s', 'manual', 'auto_merge | manual', 1, 7, 100, 2.5, true, false];

function fittingOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'optional') return valuesOf(def.innerType);
  if (def.type === 'nullable') return fc.option(valuesOf(def.innerType), { freq: 9 });
  if (def.type === 'array') return fc.array(valuesOf(def.element), { maxLength: 3 });
  if (def.type === 'union') return fc.oneof(...def.options.map(valuesOf));
  if (def.type === 'enum') return fc.constantFrom(...Object.values(def.entries));
  if (def.type === 'literal') return fc.constantFrom(...def.values);
  if (def.type === 'record') {
    const keys = fc.constantFrom('a', 'b', '10', 'agent-1', 'toString');
    return fc.dictionary(keys, valuesOf(def.valueType), { maxKeys: 3 });
  }
  if (def.type === 'object') {
    const parts = Object.entries(def.shape).map(([key, part]) => [key, valuesOf(part)] as const);
    const requiredKeys = ['id', 'command', 'max_parallel'].filter((key) => key in def.shape);
    return fc.record(Object.fromEntries(parts), { requiredKeys });
  }
  return fc.constantFrom(...SCALARS.filter((one) => z.safeParse(schema, one).success));
}

describe('the quick check', () => {
  const quickly = quickCheckOf(planFileSchema);

  it('lets pass what the schema lets pass, nothing else, and gives the same values', () => {
    let [fitting, wrong] = [0, 0];
    fc.assert(
      fc.property(valuesOf(planFileSchema), (value) => {
        const node = locateValue(value);
        const full = planFileSchema.safeParse(plainValue(node));
        const quick = quickly(node);
        expect({ value, fits: quick !== MISFIT }).toEqual({ value, fits: full.success });
        if (quick !== MISFIT) expect(quick).toEqual(full.data);
        if (full.success) fitting += 1;
        else wrong += 1;
      }),
      { numRuns: 1500, seed: 3 },
    );
    expect(fitting).toBeGreaterThan(150);
    expect(wrong).toBeGreaterThan(150);
  });

  it('leaves keys that could reach a prototype to the schema', () => {
    const tasks = new Map([['__proto__', new Map([['agent', 'x']])]]);
    expect(quickly(locateValue(new Map([['tasks', tasks]])))).toBe(MISFIT);
    expect(quickly(locateValue(new Map([['__proto__', 1]])))).toBe(MISFIT);
    expect(({} as Record<string, unknown>)['agent']).toBeUndefined();
  });

  it('asks a schema of which it does not know the kind, and its checks', () => {
    const odd = z.strictObject({
      at: z.array(z.string()).max(1),
      upper: z.string().transform((text) => text.toUpperCase()),
      pair: z.strictObject({ a: z.number(), b: z.number() }).refine(({ a, b }) => a < b),
      size: z.number().default(3),
    });
    const check = quickCheckOf(odd);
    const good = { at: ['x'], upper: 'abc', pair: { a: 1, b: 2 }, size: 1 };
    expect(check(locateValue(good))).toEqual(odd.parse(good));
    expect(check(locateValue({ ...good, at: ['x', 'y'] }))).toBe(MISFIT);
    expect(check(locateValue({ ...good, pair: { a: 2, b: 1 } }))).toBe(MISFIT);
    expect(check(locateValue({ at: [], upper: 'a', pair: good.pair }))).toBe(MISFIT);
    const loose = z.object({ a: z.string() });
    expect(quickCheckOf(loose)(locateValue({ a: 'x', b: 1 }))).toEqual({ a: 'x' });
  });

  it('says nothing itself: a wrong plan is told of as ever', () => {
    const report = new Report('tasks', '');
    const checked = checkSchema(locateValue({ tasks: { a: { prompt: 5 } } }), report);
    expect(checked?.isLeftOut('tasks', 'a', 'prompt')).toBe(true);
    expect(report.diagnostics.map(({ code }) => code)).toEqual(['wrong-type']);
  });
});

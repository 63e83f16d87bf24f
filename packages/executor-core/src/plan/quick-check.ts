import type { z } from 'zod';
import { plainValue, type Located } from './located';

/** The answer of a quick check about a node that it does not let pass. */
export const MISFIT = Symbol('misfit');

type Check = (node: Located) => unknown;

/**
 * Makes of a schema a check that lets pass what fits, and says nothing about what does not: the schema
 * itself has to tell. Structure is walked here, once and without copies in between; what is no plain
 * structure, scalars above all, the schema's own parts decide.
 *
 * @returns for a node the value that the schema gives for it, or `MISFIT`.
 */
export function quickCheckOf<T extends z.core.$ZodType>(
  schema: T,
): (node: Located) => z.core.output<T> | typeof MISFIT {
  return checkOf(schema) as (node: Located) => z.core.output<T> | typeof MISFIT;
}

function checkOf(schema: z.core.$ZodType): Check {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ((def.checks ?? []).length > 0) return asWhole(schema);
  if (def.type === 'optional') return checkOf(def.innerType);
  if (def.type === 'nullable') return orNull(checkOf(def.innerType));
  if (def.type === 'array') return listOf(checkOf(def.element));
  if (def.type === 'object' && isStrict(def)) return mappingOf(def.shape);
  if (def.type === 'record' && isPlainText(def.keyType)) return recordOf(checkOf(def.valueType));
  return asWhole(schema);
}

function isStrict({ catchall }: z.core.$ZodObjectDef): boolean {
  return catchall?._zod.def.type === 'never';
}

function isPlainText({ _zod: { def } }: z.core.$ZodType): boolean {
  return def.type === 'string' && (def.checks ?? []).length === 0;
}

const CONTEXT: z.core.ParseContextInternal = { async: false };

/** The schema's own answer; copies first what is no scalar. */
function asWhole(schema: z.core.$ZodType): Check {
  return (node) => {
    const result = schema._zod.run({ value: plainValue(node), issues: [] }, CONTEXT);
    return result instanceof Promise || result.issues.length > 0 ? MISFIT : result.value;
  };
}

function orNull(check: Check): Check {
  return (node) => (node.kind === 'scalar' && node.value === null ? null : check(node));
}

function listOf(check: Check): Check {
  return (node) => {
    if (node.kind !== 'list') return MISFIT;
    const values = node.items.map(check);
    return values.includes(MISFIT) ? MISFIT : values;
  };
}

/** Only keys of the schema get into the value, so it can be an ordinary object. */
function mappingOf(shape: z.core.$ZodShape): Check {
  const checks = new Map(Object.entries(shape).map(([key, schema]) => [key, checkOf(schema)]));
  const required = Object.keys(shape).filter((key) => shape[key]?._zod.def.type !== 'optional');
  return (node) => {
    if (node.kind !== 'map' || !required.every((key) => node.entries.has(key))) return MISFIT;
    const values: Record<string, unknown> = {};
    for (const [key, entry] of node.entries) {
      const check = checks.get(key);
      const value = check === undefined ? MISFIT : check(entry.value);
      if (value === MISFIT) return MISFIT;
      values[key] = value;
    }
    return values;
  };
}

function recordOf(check: Check): Check {
  return (node) => {
    if (node.kind !== 'map') return MISFIT;
    const values = Object.create(null) as Record<string, unknown>;
    for (const [key, entry] of node.entries) {
      const value = check(entry.value);
      // The schema drops this key; here it would be one like any other.
      if (value === MISFIT || key === '__proto__') return MISFIT;
      values[key] = value;
    }
    return values;
  };
}

import type { Report } from './report';

/** A section in the shape of the plan file: snake_case keys, durations as text. */
export type FileShape = Map<string, unknown>;

const DURATIONS: ReadonlySet<string> = new Set([
  'lock_timeout',
  'barrier_timeout',
  'timeout',
  'deadline',
  'checkpoint_interval',
  'forecast',
  'base_delay',
  'max_delay',
]);
/** Keys whose value is a section of its own. */
const SECTIONS: ReadonlySet<string> = new Set(['retry_policy']);
/** Keys whose value maps free names to sections. */
const TABLES: ReadonlySet<string> = new Set(['team_based', 'task_type_based', 'resources']);

/**
 * Gives an object of the API the keys of the plan file. A key in both spellings is reported; keys that
 * are `undefined` count as absent, and unknown ones stay, for the schema to refuse.
 *
 * @param what for messages: `task`, `agent`, …
 */
export function planFileKeys(what: string, input: unknown, report: Report): FileShape {
  const shape: FileShape = new Map();
  if (typeof input !== 'object' || input === null) {
    report.error('wrong-type', null, `${what}: expected an object, found ${String(input)}.`);
    return shape;
  }
  for (const [key, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined) continue;
    const name = snakeCase(key);
    if (shape.has(name)) {
      report.error('duplicate-key', null, `${what}: ${name} is given in both spellings.`);
    }
    shape.set(name, fileValue(name, value, report));
  }
  return shape;
}

function fileValue(name: string, value: unknown, report: Report): unknown {
  if (DURATIONS.has(name) && typeof value === 'number') return `${value}ms`;
  if (SECTIONS.has(name)) return planFileKeys(name, value, report);
  if (TABLES.has(name) && typeof value === 'object' && value !== null) {
    const rows = Object.entries(value) as [string, unknown][];
    return new Map(rows.map(([key, row]) => [key, planFileKeys(`${name}.${key}`, row, report)]));
  }
  return value;
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

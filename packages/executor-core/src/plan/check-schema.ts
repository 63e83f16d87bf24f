import type * as z from 'zod';
import { suggest } from './did-you-mean';
import { plainValue, withoutNodes, type Located, type Path, type Span } from './located';
import { planFileSchema, MAX_AGENTS, MAX_AGENTS_ALLOWED, type PlanFile } from './plan-schema';
import { MISFIT, quickCheckOf } from './quick-check';
import type { Report } from './report';

type Issue = z.core.$ZodIssue;

/** A plan of the right shape with the places of its values; what had the wrong shape is left out. */
export interface CheckedFile {
  readonly file: PlanFile;
  readonly root: Located;
  /** `true` when this value was left out, by itself or with what it is part of. */
  readonly isLeftOut: (...path: readonly string[]) => boolean;
  /** `true` when this section or an entry of it was left out: what it lacks may have been there. */
  readonly lacksEntries: (section: string) => boolean;
}

const checkQuickly = quickCheckOf(planFileSchema);

/** One round cannot see what is behind a wrong value, so there are a few; each removes something. */
const MAX_ROUNDS = 8;

/**
 * Checks the shape of the whole plan and reports every deviation. Wrong values are left out, so that the
 * rest can be checked in the same run.
 *
 * @returns `null` when no plan is left to check.
 */
export function checkSchema(root: Located, report: Report): CheckedFile | null {
  const leftOut: Path[] = [];
  const quick = checkQuickly(root);
  if (quick !== MISFIT) return { file: quick, root, ...questions(leftOut) };
  let node = root;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const result = planFileSchema.safeParse(plainValue(node));
    if (result.success) {
      return { file: result.data, root: node, ...questions(leftOut) };
    }
    const removed = new Set<Located>();
    for (const issue of result.error.issues) {
      for (const path of reportIssue(issue, node, report)) {
        const wrong = lookUp(node, path);
        if (wrong === null || wrong.value === node) return null;
        removed.add(wrong.value);
        leftOut.push(path);
      }
    }
    node = withoutNodes(node, removed);
  }
  return null;
}

function questions(leftOut: readonly Path[]): Pick<CheckedFile, 'isLeftOut' | 'lacksEntries'> {
  return {
    isLeftOut: (...path) => leftOut.some((gone) => gone.every((key, at) => key === path[at])),
    lacksEntries: (section) => leftOut.some((gone) => gone.length <= 2 && gone[0] === section),
  };
}

/** Reports one issue; gives the paths of the values that have to go. */
function reportIssue(issue: Issue, root: Located, report: Report): readonly Path[] {
  const inner = innerIssue(issue);
  if (inner.code === 'unrecognized_keys') {
    for (const key of inner.keys) reportUnknownKey(inner, key, root, report);
    return inner.keys.map((key) => [...inner.path, key]);
  }
  // A missing key has no place: its owner is shown, and goes.
  const own = lookUp(root, inner.path);
  const path = own === null ? inner.path.slice(0, -1) : inner.path;
  const place = own ?? lookUp(root, path);
  const { code, message, fix } = describe(inner, place?.value ?? root);
  const where = inner.path.length > 0 ? `${inner.path.map(String).join('.')}: ` : '';
  report.error(code, place?.value.span ?? place?.key ?? null, `${where}${message}.`, fix);
  return [path];
}

/** The branch of a union that fits best: the one whose type is right. */
function innerIssue(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  for (const [first] of issue.errors) {
    if (first === undefined) continue;
    const isTypeOnly =
      first.path.length === 0 && ['invalid_type', 'invalid_value'].includes(first.code);
    if (isTypeOnly || first.code === 'invalid_format') continue;
    return innerIssue({ ...first, path: [...issue.path, ...first.path] });
  }
  return issue;
}

function describe(
  issue: Issue,
  place: Located,
): { readonly code: string; readonly message: string; readonly fix: string | null } {
  const key = String(issue.path.at(-1));
  const given = place.kind === 'scalar' ? place.text : null;
  if (key === 'max_agents') {
    return {
      code: 'max-agents',
      message: `max_agents must be a whole number from 1 to ${MAX_AGENTS}, or to ${MAX_AGENTS_ALLOWED} with allow_more_agents: true`,
      fix: `Use 1 to ${MAX_AGENTS}.`,
    };
  }
  if (key === 'merge_strategy' && given === 'octopus') {
    return {
      code: 'merge-octopus',
      message:
        'octopus merges all branches in one commit and gives up at the first conflict, so no candidate could be verified or sent back by itself',
      fix: 'Use recursive.',
    };
  }
  const found =
    given === null || given === '' ? foundKind(place) : JSON.stringify(given.slice(0, 60));
  const message = `${issue.message}, found ${found}`;
  return { code: issueCode(issue, key), message, fix: issueFix(issue, key, given) };
}

function foundKind(place: Located): string {
  if (place.kind === 'scalar') return 'nothing';
  return place.kind === 'list' ? 'a list' : 'a mapping';
}

function issueCode(issue: Issue, key: string): string {
  switch (issue.code) {
    case 'invalid_type':
      return 'wrong-type';
    case 'too_small':
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array' ? 'bad-value' : 'out-of-range';
    case 'invalid_format':
      return key === 'conflict_resolution' ? 'bad-value' : 'bad-duration';
    case 'invalid_value':
    case 'invalid_union':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return key === 'version' ? 'bad-version' : 'bad-value';
  }
}

function issueFix(issue: Issue, key: string, given: string | null): string | null {
  if (issue.code === 'invalid_value') return suggest(given ?? '', issue.values.map(String));
  if (issue.code !== 'invalid_type' || given === null || given === '') return null;
  if (['verify', 'run', 'copy', 'link', 'reads', 'writes', 'depends_on', 'phases'].includes(key)) {
    return `Write a list: ${key}: [${JSON.stringify(given)}].`;
  }
  if (/^\d+$/.test(given) && issue.message.includes('duration')) return `Write ${given}s.`;
  return issue.expected === 'string' ? `Put quotes around it: ${JSON.stringify(given)}.` : null;
}

function reportUnknownKey(issue: Issue, key: string, root: Located, report: Report): void {
  const place = lookUp(root, [...issue.path, key]);
  const where = issue.path.length > 0 ? ` in ${issue.path.map(String).join('.')}` : '';
  report.error(
    'unknown-key',
    place?.key ?? place?.value.span ?? null,
    `Unknown key ${JSON.stringify(key)}${where}.`,
    suggest(key, knownKeys(issue.path)),
  );
}

/** The keys the schema has at a path; empty where names are free. */
function knownKeys(path: Path): readonly string[] {
  let schema: z.core.$ZodType = planFileSchema;
  for (const key of path) schema = innermost(stepInto(innermost(schema), String(key)));
  const object = innermost(schema);
  return isObject(object) ? Object.keys(object._zod.def.shape) : [];
}

function stepInto(schema: z.core.$ZodType, key: string): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'object') return def.shape[key] ?? schema;
  if (def.type === 'record') return def.valueType;
  return def.type === 'array' ? def.element : schema;
}

function innermost(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'optional' || def.type === 'nullable' ? innermost(def.innerType) : schema;
}

function isObject(schema: z.core.$ZodType): schema is z.core.$ZodObject {
  return schema._zod.def.type === 'object';
}

function lookUp(root: Located, path: Path): { readonly key: Span; readonly value: Located } | null {
  let place: { readonly key: Span; readonly value: Located } = { key: null, value: root };
  for (const step of path) {
    const { value } = place;
    if (value.kind === 'map') {
      const entry = value.entries.get(String(step));
      if (entry === undefined) return null;
      place = entry;
    } else {
      const item = value.kind === 'list' ? value.items[Number(step)] : undefined;
      if (item === undefined) return null;
      place = { key: item.span, value: item };
    }
  }
  return place;
}

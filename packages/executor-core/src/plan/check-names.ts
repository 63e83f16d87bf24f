import { nameProblem } from '../model/ids';
import type { Span } from './located';
import type { Report } from './report';

/**
 * Reports a name that may not be used. Names reach paths, branches and objects, so words that every
 * object has (`constructor`) are refused too.
 *
 * @param what for the message: `task id`, `phase`, …
 * @returns `true` when the name may be used.
 */
export function checkName(
  report: Report,
  what: string,
  name: string,
  span: Span,
  problemOf: (text: string) => string | null = nameProblem,
): boolean {
  const isBuiltIn = Object.hasOwn(Object.prototype, name) || name === 'prototype';
  const problem = isBuiltIn ? 'it means something else to JavaScript' : problemOf(name);
  if (problem === null) return true;
  const shown = JSON.stringify(name.slice(0, 80));
  report.error('bad-id', span, `${shown} cannot be a ${what}: ${problem}.`, 'Rename it.');
  return false;
}

/** Reports names that differ only by letter case: they are one file or branch on some systems. */
export function checkCase(
  report: Report,
  what: string,
  names: Iterable<readonly [name: string, span: Span]>,
): void {
  const seen = new Map<string, string>();
  for (const [name, span] of names) {
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined && other !== name) {
      report.error(
        'id-case',
        span,
        `The ${what}s "${other}" and "${name}" differ only by letter case.`,
        'Rename one of them: some file systems take them for the same name.',
      );
    } else seen.set(folded, name);
  }
}

/** Nx project names may be package names: `@scope/name`. */
export function projectProblem(name: string): string | null {
  const isName = /^@?[A-Za-z0-9][\w@/.:-]{0,213}$/.test(name) && !name.includes('..');
  return isName ? null : 'use the name Nx knows the project by';
}

/** Reports environment variables that cannot be set, or that would lead git or us astray. */
export function checkEnvName(report: Report, name: string, span: Span): boolean {
  const isOurs =
    /^(?:PARALLEL_|NX_|GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY)$)/i;
  const problem = !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? 'use letters, digits and "_"'
    : isOurs.test(name)
      ? 'it is set by us, or kept from the agent'
      : null;
  if (problem === null) return true;
  const shown = JSON.stringify(name.slice(0, 80));
  report.error(
    'bad-env',
    span,
    `${shown} cannot be set in env: ${problem}.`,
    'Use another variable.',
  );
  return false;
}

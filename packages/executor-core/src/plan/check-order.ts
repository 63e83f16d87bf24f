import { findCycles } from '../graph/cycles';
import { waitingEdges } from '../graph/waiting-edges';
import { suggest } from './did-you-mean';
import type { Span } from './located';
import type { Report } from './report';
import type { TaskDraft } from './task-drafts';

/**
 * Reports dependencies that do not exist, that point at the task itself, that contradict the phases or
 * that close a circle (also through a phase barrier), each at the place that names the dependency.
 *
 * @param phases every phase, or `null` when the section was left out as wrong.
 */
export function checkOrder(
  drafts: readonly TaskDraft[],
  phases: readonly string[] | null,
  report: Report,
): void {
  const byId = new Map(drafts.map((draft) => [draft.id, draft]));
  const edges = new Map(drafts.map((draft) => [draft.id, existing(draft, byId, report)]));
  const cycles = findCycles(edges);
  for (const cycle of cycles) {
    reportCycle(byId, cycle, report, 'cycle', 'Remove one of these dependencies.');
  }
  if (cycles.length > 0 || phases === null || phases.length === 0) return;

  const tasks = drafts.map((draft) => ({
    id: draft.id,
    dependsOn: edges.get(draft.id) ?? [],
    phase: draft.given.phase ?? null,
  }));
  for (const cycle of findCycles(waitingEdges(tasks, phases))) {
    const fix = 'Move one of these tasks to another phase, or remove the dependency.';
    reportCycle(byId, cycle, report, 'phase-order', fix);
  }
}

/** The tasks a draft depends on, without those that are not there, which are reported. */
function existing(
  draft: TaskDraft,
  byId: ReadonlyMap<string, TaskDraft>,
  report: Report,
): readonly string[] {
  const known: string[] = [];
  for (const dependency of draft.dependsOn) {
    const { text } = dependency;
    if (text === draft.id) {
      const message = `Task "${draft.id}" depends on itself.`;
      report.error(
        'self-dependency',
        dependency.span,
        message,
        'Remove it from its own dependencies.',
      );
    } else if (!byId.has(text)) {
      report.error(
        'unknown-dependency',
        dependency.span,
        `Task "${draft.id}" depends on ${JSON.stringify(text)}, which does not exist.`,
        suggest(text, byId.keys()),
      );
    } else known.push(text);
  }
  return known;
}

function reportCycle(
  byId: ReadonlyMap<string, TaskDraft>,
  cycle: readonly string[],
  report: Report,
  code: string,
  fix: string,
): void {
  const shown = cycle.length > 12 ? [...cycle.slice(0, 10), '…', ...cycle.slice(-1)] : cycle;
  report.error(code, placeOf(byId, cycle), `Tasks wait for each other: ${shown.join(' → ')}.`, fix);
}

/** Where the first step of the cycle from one task to another is written. */
function placeOf(byId: ReadonlyMap<string, TaskDraft>, cycle: readonly string[]): Span {
  let place: Span = null;
  cycle.slice(1).forEach((next, at) => {
    const draft = byId.get(cycle[at] ?? '');
    place ??= draft?.dependsOn.find((other) => other.text === next)?.span ?? null;
  });
  return place;
}

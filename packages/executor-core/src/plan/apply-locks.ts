import { parseSlotName } from '../model/ids';
import type { CheckedFile } from './check-schema';
import { suggest } from './did-you-mean';
import { childOf, entriesOf, itemsOf, type LocatedEntry } from './located';
import type { Report } from './report';
import { placed, type TaskDraft } from './task-drafts';

/**
 * Adds the globs of `locks:` to the drafts (in place). A key is a task id, or `agent-N`: then it means
 * the tasks that prefer slot N.
 */
export function applyLocks(
  { root }: CheckedFile,
  drafts: readonly TaskDraft[],
  report: Report,
  maxAgents: number,
): void {
  const byId = new Map(drafts.map((draft) => [draft.id, draft]));
  const locks = childOf(root, 'locks');
  for (const kind of ['read', 'write'] as const) {
    const table = childOf(locks, kind);
    const maps = table?.kind === 'list' ? itemsOf(table) : [table];
    for (const [owner, entry] of maps.flatMap(entriesOf)) {
      const slot = parseSlotName(owner);
      const draft = byId.get(owner);
      if (slot !== null) lockSlot(slot, kind, entry, { drafts, report, maxAgents });
      else if (draft !== undefined) addGlobs(draft, kind, entry);
      else {
        report.error(
          'unknown-lock-owner',
          entry.key,
          `${JSON.stringify(owner)} is neither a task nor agent-N.`,
          suggest(owner, byId.keys()),
        );
      }
    }
  }
}

function lockSlot(
  slot: number,
  kind: 'read' | 'write',
  entry: LocatedEntry,
  plan: {
    readonly drafts: readonly TaskDraft[];
    readonly report: Report;
    readonly maxAgents: number;
  },
): void {
  if (slot < 1 || slot > plan.maxAgents) {
    plan.report.error(
      'unknown-lock-owner',
      entry.key,
      `There is no agent-${slot}: max_agents is ${plan.maxAgents}.`,
      `Use agent-1 to agent-${plan.maxAgents}, or a task id.`,
    );
    return;
  }
  const members = plan.drafts.filter((draft) => draft.homeSlot === slot);
  for (const draft of members) addGlobs(draft, kind, entry);
  if (members.length === 0) {
    plan.report.warning(
      'unused-lock',
      entry.key,
      `No task starts on agent-${slot}, so its ${kind} lock has no effect.`,
      'Name a task instead of the agent.',
    );
  }
}

function addGlobs(draft: TaskDraft, kind: 'read' | 'write', entry: LocatedEntry): void {
  const target = kind === 'read' ? draft.reads : draft.writes;
  target.push(...placed(entry.value));
  if (kind === 'write') draft.hasWrites = true;
}

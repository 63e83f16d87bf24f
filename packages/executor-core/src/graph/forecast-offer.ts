import type { Access } from '../model/access';
import type { TaskId } from '../model/ids';
import type { ConflictPolicy, Task } from '../model/task';
import { conflictReason } from './conflict-pairs';

/** What a plan's author can do about a pair; `yaml` are the lines to have in the plan. */
export type ForecastOffer =
  /** The leases keep the two apart already. */
  | { readonly kind: 'none'; readonly why: string }
  /** `task` starts when `on` has landed. */
  | {
      readonly kind: 'depends_on';
      readonly task: TaskId;
      readonly on: TaskId;
      readonly yaml: string;
    }
  /** Whichever comes first, the other waits for it. */
  | { readonly kind: 'lock'; readonly task: TaskId; readonly yaml: string };

const NOWHERE: Access = { reads: [], writes: [] };

/**
 * What to offer for two tasks, `first` being the one that had better go first. Where locks make tasks
 * wait (`wait`), a lock is enough and fixes no order; under the other policies only an edge keeps them
 * apart.
 */
export function forecastOffer(first: Task, second: Task, policy: ConflictPolicy): ForecastOffer {
  if (conflictReason({ ...first, access: NOWHERE }, { ...second, access: NOWHERE }) !== null) {
    return { kind: 'none', why: 'they need the same resource, so they run one after the other' };
  }
  if (policy === 'wait') {
    if (conflictReason(first, second) !== null) {
      return { kind: 'none', why: 'their locks let them run one after the other already' };
    }
    const globs = first.access.writes.map((glob) => JSON.stringify(glob)).join(', ');
    const yaml = `locks:\n  read:\n    - ${keyText(second.id)}: [${globs}]`;
    return { kind: 'lock', task: second.id, yaml };
  }
  const dependencies = [...second.dependsOn, first.id].map(keyText).join(', ');
  const yaml = `tasks:\n  ${keyText(second.id)}:\n    depends_on: [${dependencies}]`;
  return { kind: 'depends_on', task: second.id, on: first.id, yaml };
}

/** Words that YAML reads as something else than text. */
const NOT_TEXT = /^(?:y|n|yes|no|on|off|true|false|null)$/i;

function keyText(id: string): string {
  return /^[a-z_][\w-]*$/i.test(id) && !NOT_TEXT.test(id) ? id : JSON.stringify(id);
}

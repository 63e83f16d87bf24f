import type { Fact, RunEvent, RunEventType } from '../model/event';

/** `true`: a fact, the input of `decide`; `false`: a decision, its output. */
const FACTS: Readonly<Record<RunEventType, boolean>> = {
  'run:started': true,
  'run:joined': true,
  'run:resumed': true,
  'control:requested': true,
  'task:leased': true,
  'task:waiting': true,
  'task:started': true,
  'process:started': true,
  'task:progress': true,
  'task:verifying': true,
  'task:queued': true,
  'task:merging': true,
  'task:landed': true,
  'task:cached': true,
  'attempt:failed': true,
  'timer:due': true,
  'target:advanced': true,
  'target:held': true,
  'pull-request': true,
  'disk:refused': true,
  'disk:recovered': true,
  'task:overdue': true,
  'run:overdue': true,
  'task:widened': true,
  'task:healing': true,
  'task:healed': true,
  'task:checkpointed': true,
  'checkpoint:failed': true,
  'barrier:waiting': true,
  'barrier:left': true,
  'task:leasing': false,
  'task:withdrawn': false,
  'task:retrying': false,
  'task:failed': false,
  'task:blocked': false,
  'task:conflicted': false,
  'task:cancelled': false,
  'barrier:opened': false,
  'barrier:broken': false,
  'task:stolen': false,
  'task:reopened': false,
  'run:resized': false,
  'run:mode': false,
  'run:finished': false,
};

/** `true` for the events `decide` takes; unknown types of a newer writer are not. */
export function isFact(event: RunEvent): event is Fact {
  return FACTS[event.type];
}

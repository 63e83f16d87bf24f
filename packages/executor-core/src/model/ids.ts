/**
 * Branded names. A string becomes one of these only through its `parse*` function, so a value that
 * reaches a path, a branch name or an argv has passed the allow-list once and need not be checked again.
 */
declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** Name of a task: unique in its plan, safe as a file name, a branch component and an argument. */
export type TaskId = Brand<'TaskId'>;
/** Name of a run: `PEXEC-<epoch ms>`, with a `-<n>` suffix when two runs start in one millisecond. */
export type RunId = Brand<'RunId'>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SLOT_NAME = /^agent-\d+$/;
const RUN = /^PEXEC-\d{1,16}(?:-\d{1,4})?$/;

/** Why `text` may not be a name (of a task, phase, team, profile or resource), or `null` if it may. */
export function nameProblem(text: string): string | null {
  if (!NAME.test(text)) {
    return 'use 1 to 64 letters, digits, ".", "_" or "-", starting with a letter or a digit';
  }
  if (!text.includes('.')) return null;
  if (text.includes('..') || text.endsWith('.') || text.toLowerCase().endsWith('.lock')) {
    return 'it may not contain "..", end with "." or end with ".lock" (git refuses such branch names)';
  }
  return null;
}

/** Why `text` may not be a task id, or `null` if it may. `agent-<n>` is kept for slots. */
export function taskIdProblem(text: string): string | null {
  if (SLOT_NAME.test(text)) return 'names of the form agent-<n> are slots; choose another task id';
  return nameProblem(text);
}

/** Throws `TypeError` when `text` is no task id; plan files are checked before, with positions. */
export function parseTaskId(text: string): TaskId {
  const problem = taskIdProblem(text);
  if (problem !== null) throw new TypeError(`Bad task id ${JSON.stringify(text)}: ${problem}.`);
  return text as TaskId;
}

/** `true` for a well-formed run id. */
export function isRunId(text: string): text is RunId {
  return RUN.test(text);
}

/** Throws `TypeError` when `text` is no run id. */
export function parseRunId(text: string): RunId {
  if (!isRunId(text))
    throw new TypeError(`Bad run id ${JSON.stringify(text)}: expected PEXEC-<ms>.`);
  return text;
}

/** The slot's public name: `agent-1` … `agent-25`. */
export function slotName(slot: number): string {
  return `agent-${slot}`;
}

/** The slot number of `agent-<n>`, or `null` when `text` is not a slot's name. */
export function parseSlotName(text: string): number | null {
  return SLOT_NAME.test(text) ? Number(text.slice('agent-'.length)) : null;
}

import type { Cost } from '../model/cost';
import { costText } from '../model/cost';
import type { ResolvedPath } from '../model/resolved-path';

/** Names of the trailers, in the order they are written. They are part of the format: never rename. */
const TRAILERS = {
  run: 'Parallel-Run',
  task: 'Parallel-Task',
  agent: 'Parallel-Agent',
  candidate: 'Parallel-Candidate',
  attempt: 'Parallel-Attempt',
  integration: 'Parallel-Integration',
  cost: 'Parallel-Cost',
  squash: 'Parallel-Squash',
  resolved: 'Parallel-Resolved',
} as const;

/** Trailer that makes landing happen once: the commit id of the candidate that landed. */
export const CANDIDATE_TRAILER = TRAILERS.candidate;

export const RUN_TRAILER = TRAILERS.run;
export const TASK_TRAILER = TRAILERS.task;
export const AGENT_TRAILER = TRAILERS.agent;
/** In the commit that records a squash on the integration branch: the squashed commit. */
export const SQUASH_TRAILER = TRAILERS.squash;

/** Paths in conflict that a message names; the event of the landing has them all. */
const RESOLVED_NAMED = 50;
const SUBJECT_CHARS = 72;
const BODY_CHARS = 2000;
const VALUE_CHARS = 200;
const CHERRY_PICKED = '(cherry picked from commit ';
const TRAILER_LINE = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/;

/** Control characters, line separators, halves of surrogate pairs, and signs that reorder text. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

export interface CommitNote {
  readonly run: string;
  readonly task: string;
  /** Name of the agent profile; `null` leaves the trailer out. */
  readonly agent: string | null;
  readonly attempt: number;
  /** Only its first line is used; without one the subject says "land". */
  readonly prompt: string | null;
  /** Commit id of the candidate; given when the commit lands, absent in the candidate itself. */
  readonly candidate?: string;
  /** What the work has cost; `null` or absent where nobody told. */
  readonly cost?: Cost | null;
  /** Free text between subject and trailers. */
  readonly body?: string;
}

/**
 * The message of a candidate or of a landed commit: a subject of at most 72 characters, an optional
 * body, and the trailers as the last paragraph. No value can break out of its line, so nothing in a
 * prompt can forge a trailer.
 */
export function commitMessage(note: CommitNote): string {
  const values: readonly (readonly [string, string | null])[] = [
    [TRAILERS.run, note.run],
    [TRAILERS.task, note.task],
    [TRAILERS.agent, note.agent],
    [TRAILERS.candidate, note.candidate ?? null],
    [TRAILERS.attempt, String(note.attempt)],
    [TRAILERS.cost, note.cost == null ? null : costText(note.cost)],
  ];
  const trailers = values.flatMap(([name, value]) => {
    const text = value === null ? '' : oneLine(value, VALUE_CHARS);
    return text === '' ? [] : [`${name}: ${text}`];
  });
  const body = note.body === undefined ? '' : cleanBody(note.body);
  const paragraphs = [subject(note), ...(body === '' ? [] : [body]), trailers.join('\n')];
  return `${paragraphs.join('\n\n')}\n`;
}

/**
 * The message of the one commit a run lands as: a line for each task, and the trailers of all of them.
 * `landed`: messages of the commits it stands for, oldest first, from `commitMessage`; `tip`: the last
 * of them on the integration branch.
 */
export function squashMessage(run: string, tip: string, landed: readonly string[]): string {
  const subjects = landed.map((message) => `- ${message.split('\n')[0] ?? ''}`);
  const kept: readonly string[] = [
    TRAILERS.task,
    TRAILERS.agent,
    TRAILERS.candidate,
    TRAILERS.cost,
  ];
  const trailers = landed.flatMap((message) =>
    trailerLines(message).flatMap(([name, value]) =>
      kept.includes(name) ? [`${name}: ${value}`] : [],
    ),
  );
  const count = `${landed.length} ${landed.length === 1 ? 'task' : 'tasks'}`;
  const own = [`${TRAILERS.run}: ${run}`, ...trailers, `${TRAILERS.integration}: ${tip}`];
  const body = subjects.length === 0 ? [] : [subjects.join('\n')];
  return `${[`Land ${count} of ${run}`, ...body, own.join('\n')].join('\n\n')}\n`;
}

/** The message of the commit that records on the integration branch what was squashed into `commit`. */
export function squashRecord(run: string, commit: string): string {
  const trailers = [`${TRAILERS.run}: ${run}`, `${TRAILERS.squash}: ${commit}`];
  return `Record what was squashed\n\n${trailers.join('\n')}\n`;
}

/**
 * The trailers of a commit message, by name: the last paragraph, if it is not the subject and every
 * line of it has the form `Name: value` (or is the remark `git cherry-pick -x` adds). A name that
 * occurs twice keeps its last value, as in git.
 */
export function parseTrailers(message: string): ReadonlyMap<string, string> {
  return new Map(trailerLines(message));
}

/** Every value of a trailer, in their order. */
export function trailerValues(message: string, name: string): readonly string[] {
  return trailerLines(message).flatMap(([key, value]) => (key === name ? [value] : []));
}

function trailerLines(message: string): readonly (readonly [string, string])[] {
  const paragraphs = message
    .replace(/\r\n/g, '\n')
    .trim()
    .split(/\n[ \t]*\n+/);
  const found: (readonly [string, string])[] = [];
  if (paragraphs.length < 2) return found;
  for (const line of paragraphs.at(-1)?.split('\n') ?? []) {
    if (line.startsWith(CHERRY_PICKED)) continue;
    const [, name, value] = TRAILER_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    found.push([name, value.trim()]);
  }
  return found;
}

/**
 * `message` (see `commitMessage`) with a trailer `Parallel-Resolved: RUNG PATH` for each conflict that
 * was settled on the way, at most 50.
 */
export function withResolved(message: string, resolved: readonly ResolvedPath[]): string {
  const lines = resolved
    .slice(0, RESOLVED_NAMED)
    .map(({ rung, path }) => `${TRAILERS.resolved}: ${rung} ${oneLine(path, VALUE_CHARS)}\n`);
  return message + lines.join('');
}

/** `text` on one line of at most `maxChars` code points, without control characters. */
export function oneLine(text: string, maxChars: number): string {
  const line = text.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim();
  const points = Array.from(line);
  if (points.length <= maxChars) return line;
  return `${points
    .slice(0, maxChars - 1)
    .join('')
    .trimEnd()}…`;
}

function subject({ task, prompt }: CommitNote): string {
  const lines = (prompt ?? '').split(/\r\n|[\r\n]/);
  const first = lines.map((line) => oneLine(line, SUBJECT_CHARS)).find((line) => line !== '');
  return oneLine(`${oneLine(task, SUBJECT_CHARS)}: ${first ?? 'land'}`, SUBJECT_CHARS);
}

function cleanBody(text: string): string {
  const lines = text.split(/\r\n|[\r\n]/).map((line) => line.replace(UNPRINTABLE, ' ').trimEnd());
  const body = lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return Array.from(body).slice(0, BODY_CHARS).join('').trimEnd();
}

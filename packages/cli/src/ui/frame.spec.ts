import {
  candidateOf,
  failed,
  landed,
  planOf,
  runStarted,
  second,
  started,
} from '@parallel-executor/core/testing';
import * as fc from 'fast-check';
import type { RunEvent } from '@parallel-executor/core';
import { parseTaskId, viewOf } from '@parallel-executor/core';
import type { Capabilities } from './capabilities';
import { etaText, frame } from './frame';
import { displayWidth, plainText } from './text-width';

const LONG = 'a_very_long_task_name_that_needs_eliding_in_the_middle';
const plan = planOf(
  { landing_page: {}, auth: {}, db: {}, [LONG]: {}, api: { dependsOn: ['db'] }, q: {} },
  { maxAgents: 25 },
);

const journal: readonly RunEvent[] = [
  runStarted(plan),
  ...started('landing_page', 1, 0),
  ...started('auth', 2, 0),
  ...started('db', 3, 0),
  ...started(LONG, 12, 3),
  {
    type: 'task:progress',
    at: second(5),
    task: parseTaskId('landing_page'),
    percent: 80,
    note: 'wiring \u001B[31mroutes\u0007',
  },
  ...landed('db', 10),
  ...failed('auth', 12),
  {
    type: 'task:queued',
    at: second(12),
    task: parseTaskId('q'),
    attempt: 1,
    candidate: candidateOf('q'),
  },
];
const view = viewOf(plan, journal);

function caps(patch: Partial<Capabilities> = {}): Capabilities {
  return { tty: true, color: false, unicode: true, columns: 100, rows: 40, ...patch };
}

function panel(patch: Partial<Capabilities> = {}): string {
  return frame(view, caps(patch), second(17)).join('\n');
}

describe('the status panel', () => {
  it('has every column on 100 cells', () => {
    expect(`\n${panel()}\n`).toBe(`
┌──────────────────────────────────────────────────────────────────────────────────────────────────┐
│                                     PARALLEL EXECUTOR STATUS                                     │
├──────────────────────────────────────────────────────────────────────────────────────────────────┤
│ Active Agents:  2/25                                                                             │
│ Completed:      1 task                                                                           │
│ In Progress:    3 tasks                                                                          │
│ Pending:        1 task                                                                           │
│ Failed:         1                                                                                │
├──────────────────────────────────────────────────────────────────────────────────────────────────┤
│ ! auth  failed  agent exited with code 3                                                         │
│ Agent-1 [codemod]  ████████░░  80% landing_page             running          17 s  wiring routes │
│ Agent-12 [codemod] █████████░  95% a_very_long_…_the_middle running          14 s                │
│ Merge queue: q (queued)                                                                          │
├──────────────────────────────────────────────────────────────────────────────────────────────────┤
│ Phase: 1/2  │  ETA: 10s  │  Speed: 3.1x                                                          │
└──────────────────────────────────────────────────────────────────────────────────────────────────┘
`);
  });

  it('drops the note below 100 cells and elapsed time below 80', () => {
    expect(panel({ columns: 99 })).not.toContain('wiring');
    expect(panel({ columns: 99 })).toContain('17 s');
    expect(panel({ columns: 79 })).not.toContain('17 s');
  });

  it('drops the profile below 60 cells and still says task and state', () => {
    expect(`\n${panel({ columns: 40 })}\n`).toBe(`
┌──────────────────────────────────────┐
│       PARALLEL EXECUTOR STATUS       │
├──────────────────────────────────────┤
│ Active Agents:  2/25                 │
│ Completed:      1 task               │
│ In Progress:    3 tasks              │
│ Pending:        1 task               │
│ Failed:         1                    │
├──────────────────────────────────────┤
│ ! auth  failed  agent exited with c… │
│ Agent-1   80% landing_page running   │
│ Agent-12  95% a_very…iddle running   │
│ Merge queue: q (queued)              │
├──────────────────────────────────────┤
│ Phase: 1/2 │ ETA: 10s │ Speed: 3.1x  │
└──────────────────────────────────────┘
`);
  });

  it('uses ASCII only where the terminal has no other characters', () => {
    const text = panel({ unicode: false, columns: 70 });
    expect(text).toMatch(/^[\n -~]*$/);
    expect(text).toContain('########..  80% landing_page   running');
  });

  it('never lets an agent’s words steer the terminal', () => {
    // eslint-disable-next-line no-control-regex -- their absence is the point
    expect(panel()).not.toMatch(/[\u0000-\u0009\u000B-\u001F]/);
  });

  it('colours when asked, without changing the text', () => {
    const coloured = frame(view, caps({ color: true }), second(17));
    expect(coloured.join('')).toContain('\u001B[');
    expect(coloured.map(plainText)).toEqual(panel().split('\n'));
  });

  it('says unknown instead of guessing without history', () => {
    const young = viewOf(plan, journal.slice(0, 4));
    const text = frame(young, caps(), second(4)).join('\n');
    expect(text).toContain('ETA: unknown');
    expect(text).toMatch(/░{10} +\? landing_page/);
  });

  it('puts what needs a person first, and says how the run stands when it does not simply run', () => {
    const paused = viewOf(plan, [
      ...journal,
      { type: 'run:mode', at: second(13), mode: 'draining', reason: 'Ctrl-C' },
      {
        type: 'target:held',
        at: second(14),
        ref: 'refs/heads/main',
        commit: 'c',
        reason: 'main has uncommitted changes',
      },
    ]);
    const lines = frame(paused, caps(), second(17));
    expect(lines.join('\n')).toContain('Run:            draining: Ctrl-C');
    expect(lines[10]).toContain('! not landed on the branch: main has uncommitted changes');
  });

  it('shows work whose agent has left its slot beside what waits to land', () => {
    const task = parseTaskId('landing_page');
    const left = viewOf(plan, [
      ...journal,
      { type: 'task:verifying', at: second(13), task, attempt: 1, leavesSlot: true },
    ]);
    const text = frame(left, caps(), second(17)).join('\n');
    expect(text).toContain('Merge queue: q (queued), landing_page (verifying)');
    expect(text).not.toContain('Agent-1 ');
  });

  it('tells blocked and conflicted tasks beside the failed ones, and what came from the cache', () => {
    const task = parseTaskId('q');
    const mixed = viewOf(plan, [
      ...journal.slice(0, -1),
      { type: 'task:cached', at: second(12), task, candidate: candidateOf('q') },
      { type: 'task:landed', at: second(12), task, commit: null, tree: null },
      { type: 'task:blocked', at: second(12), task: parseTaskId('api'), by: parseTaskId('auth') },
      {
        type: 'task:conflicted',
        at: second(13),
        task: parseTaskId('landing_page'),
        paths: ['x.ts'],
      },
    ]);
    const text = frame(mixed, caps(), second(17)).join('\n');
    expect(text).toContain('Completed:      2 tasks (1 from the cache)');
    expect(text).toContain('Failed:         1 (1 blocked, 1 conflicted)');
    expect(text).toContain('! landing_page  conflicted  conflict in x.ts');
  });

  it('counts the rows that do not fit', () => {
    const lines = frame(view, caps({ rows: 15 }), second(17));
    expect(lines).toHaveLength(14);
    expect(lines.join('\n')).toContain('… 3 more');
    expect(lines.at(-1)).toMatch(/^└/);
  });

  it('fits any terminal: no line is wider, no frame as tall', () => {
    const sizes = fc.record({
      columns: fc.integer({ min: 24, max: 200 }),
      rows: fc.integer({ min: 2, max: 60 }),
      unicode: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, (size) => {
        const lines = frame(view, caps(size), second(17));
        expect(lines.length).toBeLessThanOrEqual(size.rows - 1);
        for (const line of lines) expect(displayWidth(line)).toBe(Math.min(size.columns, 120));
      }),
    );
  });
});

it.each([
  [400, '0s'],
  [45_000, '45s'],
  [185_000, '3m05s'],
  [7_620_000, '2h07m'],
])('an estimate of %i ms reads %s', (ms, text) => {
  expect(etaText(ms)).toBe(text);
});

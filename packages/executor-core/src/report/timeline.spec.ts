import * as fc from 'fast-check';
import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { candidateOf, failed, landed, second, started } from '../testing/run-fixture';
import type { Segment } from './timeline';
import { timeline } from './timeline';

const a = parseTaskId('a');

function short(segments: readonly Segment[]): readonly string[] {
  return segments.map(
    ({ slot, task, attempt, kind, from, to }) =>
      `${slot ?? 'queue'} ${task}#${attempt} ${kind} ${(from - second(0)) / 1000}-${(to - second(0)) / 1000}`,
  );
}

describe('the timeline', () => {
  it('splits an attempt into leasing, running, verifying and merging', () => {
    const events: readonly RunEvent[] = [
      { type: 'task:leasing', at: second(0), task: a },
      ...started('a', 2, 3).slice(1),
      { type: 'task:verifying', at: second(8), task: a, attempt: 1 },
      { type: 'task:queued', at: second(9), task: a, attempt: 1, candidate: candidateOf('a') },
      { type: 'task:merging', at: second(11), task: a, onto: 'e', batch: 1 },
      { type: 'task:landed', at: second(12), task: a, commit: null, tree: null },
    ];
    expect(short(timeline(events, second(99)))).toEqual([
      '2 a#1 leasing 0-3',
      '2 a#1 running 3-8',
      '2 a#1 verifying 8-9',
      'queue a#1 merging 11-12',
    ]);
  });

  it('draws nothing of work whose agent has left its slot', () => {
    const b = parseTaskId('b');
    const events: readonly RunEvent[] = [
      ...started('a', 1, 0),
      { type: 'task:verifying', at: second(4), task: a, attempt: 1, leavesSlot: true },
      ...started('b', 1, 5),
      { type: 'task:queued', at: second(6), task: a, attempt: 1, candidate: candidateOf('a') },
      { type: 'task:verifying', at: second(7), task: b, attempt: 1, leavesSlot: true },
    ];
    expect(short(timeline(events, second(8)))).toEqual([
      '1 a#1 leasing 0-0',
      '1 a#1 running 0-4',
      '1 b#1 leasing 5-5',
      '1 b#1 running 5-7',
    ]);
  });

  it('draws the wait for a lease only since the slot was free', () => {
    const b = parseTaskId('b');
    const events: readonly RunEvent[] = [
      ...started('a', 1, 0),
      { type: 'task:leasing', at: second(2), task: b },
      ...landed('a', 5),
      ...started('b', 1, 6).slice(1),
    ];
    expect(short(timeline(events, second(7)))).toContain('1 b#1 leasing 5-6');
  });

  it('ends what is open now, and at the last sign of life before a crash', () => {
    const open = [...started('a', 1, 0)];
    expect(short(timeline(open, second(4)))).toContain('1 a#1 running 0-4');
    const owner = { pid: 1, startTime: '', bootId: '', host: '' };
    const crashed: readonly RunEvent[] = [
      ...open,
      { type: 'task:progress', at: second(2), task: a, percent: 1, note: '' },
      { type: 'run:resumed', at: second(50), owner },
    ];
    expect(short(timeline(crashed, second(60)))).toEqual([
      '1 a#1 leasing 0-0',
      '1 a#1 running 0-2',
    ]);
  });

  it('never lets two segments of one slot overlap', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      ok: fc.boolean(),
      length: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let at = 0;
        const events = steps.flatMap(({ id, ok, length }) => {
          const from = at;
          at += length;
          return [...started(id, 1, from), ...(ok ? landed(id, at) : failed(id, at))];
        });
        const lane = timeline(events, second(at)).filter((segment) => segment.slot === 1);
        lane.forEach((segment, index) => {
          const next = lane[index + 1];
          expect(segment.from).toBeLessThanOrEqual(segment.to);
          if (next !== undefined) expect(segment.to).toBeLessThanOrEqual(next.from);
        });
      }),
    );
  });
});

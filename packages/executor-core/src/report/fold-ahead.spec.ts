import type { RunEvent } from '../model/event';
import { parseTaskId } from '../model/ids';
import { failed, landed, planOf, runStarted, second, started } from '../testing/run-fixture';
import { viewOf } from './fold';
import { describeEvent } from './messages';
import { statusJson } from './status-json';

const plan = planOf({ api: {}, web: {} });
const ahead = (at: number, paths: readonly string[], ...names: readonly string[]): RunEvent => ({
  type: 'conflict:ahead',
  at: second(at),
  tasks: names.map(parseTaskId),
  paths,
});
const begin = [runStarted(plan), ...started('api', 1, 0), ...started('web', 2, 0)];
const aheadAfter = (...events: readonly RunEvent[]) =>
  viewOf(plan, [...begin, ...events]).conflictsAhead;

describe('conflicts ahead', () => {
  it('are those told last, since they were told first', () => {
    const told = [ahead(5, ['a'], 'api', 'web'), ahead(9, ['a', 'b'], 'api', 'web')];
    expect(aheadAfter(...told)).toEqual([
      { tasks: ['api', 'web'], paths: ['a', 'b'], since: second(5) },
    ]);
    const view = viewOf(plan, [...begin, ...told]);
    expect(statusJson(view, second(10)).conflicts_ahead).toEqual([
      { tasks: ['api', 'web'], paths: ['a', 'b'], since: new Date(second(5)).toISOString() },
    ]);
  });

  it('are gone when they are told to be, and when a task is no longer at work', () => {
    const both = [ahead(5, ['a'], 'api', 'web'), ahead(5, ['b'], 'web')];
    expect(aheadAfter(...both, ahead(6, [], 'api', 'web'))).toMatchObject([{ tasks: ['web'] }]);
    expect(aheadAfter(...both, ...landed('api', 7))).toMatchObject([{ tasks: ['web'] }]);
    expect(aheadAfter(...both, ...failed('web', 7))).toEqual([]);
    expect(
      aheadAfter(...both, { type: 'run:finished', outcome: 'stopped', at: second(9) }),
    ).toEqual([]);
  });

  it('stay while one of the two waits to land', () => {
    const queued = landed('api', 7).filter(({ type }) => type !== 'task:landed');
    expect(aheadAfter(ahead(5, ['a'], 'api', 'web'), ...queued)).toHaveLength(1);
  });

  it('are told in a line', () => {
    const line = (event: RunEvent) => describeEvent(event, () => viewOf(plan, begin));
    expect(line(ahead(1, ['a', 'b'], 'api', 'web'))).toBe('ahead  api and web both change a, b');
    expect(line(ahead(1, ['a'], 'web'))).toContain('web and what has landed since it started');
    expect(line(ahead(1, [], 'api', 'web'))).toContain('clear  api and web');
  });
});

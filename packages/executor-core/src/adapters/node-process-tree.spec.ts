import type { ProcessTree } from '../ports/processes';
import type { ProcessRow } from './node-process-table';
import { withoutSiblings } from './node-process-tree';

const SELF = 100;
const LEADER = 200;

const row = (pid: number, parent: number): ProcessRow => ({
  pid,
  parent,
  group: pid,
  session: pid,
  hasTerminal: false,
  startTime: String(pid),
  name: 'sh',
  zombie: false,
});
const tree: ProcessTree = {
  leader: { pid: LEADER, startTime: String(LEADER), bootId: 'boot', host: 'here' },
  mark: null,
  folder: null,
  output: null,
};
const left = (...rows: readonly ProcessRow[]): readonly number[] =>
  withoutSiblings(rows, tree, SELF).map(({ pid }) => pid);

describe('withoutSiblings', () => {
  it('leaves out what is below other children of ours', () => {
    const others = [row(300, SELF), row(301, 300), row(302, 301)];
    expect(left(row(SELF, 1), row(LEADER, SELF), row(201, LEADER), ...others)).toEqual([
      SELF,
      LEADER,
      201,
    ]);
  });

  it('keeps what has lost its parent, and what belongs to nobody we know', () => {
    expect(left(row(201, 1), row(202, 4711))).toEqual([201, 202]);
  });

  it('keeps what is below a leader that another process had started', () => {
    expect(left(row(LEADER, 1), row(201, LEADER))).toEqual([LEADER, 201]);
  });

  it('keeps parents that lead in a circle, as rows of different moments may', () => {
    expect(left(row(300, 301), row(301, 300))).toEqual([300, 301]);
  });

  it('knows nobody’s siblings without a leader', () => {
    expect(withoutSiblings([row(300, SELF)], { ...tree, leader: null }, SELF)).toHaveLength(1);
  });
});

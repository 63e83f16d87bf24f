import type { ConflictCase, ConflictRig } from '../testing/conflict-rig';
import { added, file, lines, makeConflictRig, merged, pkg, play } from '../testing/conflict-rig';
import { JSON_CASES, LIST_CASES } from '../testing/conflict-rule-cases';
import type { Ladder } from './resolve-conflict';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

const link = (content: string) => ({ mode: '120000', content });
const TEN = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'];
const with1 = (at: number, text: string): string =>
  lines(...TEN.map((line, index) => (index === at ? text : line)));
const byTask = (task: string) => ({ message: `${task}: work\n\nParallel-Task: ${task}` });
const ranks = (task: string): Ladder => ({
  task,
  priorityOf: (id) => ({ low: 20, high: 80 })[id] ?? null,
});
const SUB = '1'.repeat(40);

const TEXT: Readonly<Record<string, ConflictCase>> = {
  'changes far apart': {
    ...file('a.txt', lines(...TEN), with1(0, 'A'), with1(9, 'Z')),
    rung: 'clean',
    result: { 'a.txt': lines('A', ...TEN.slice(1, 9), 'Z') },
  },
  'the same change on both sides': {
    ...file('a.txt', lines(...TEN), with1(4, 'X'), with1(4, 'X')),
    rung: 'clean',
    result: { 'a.txt': with1(4, 'X') },
  },
  'the same line': { ...file('a.txt', lines(...TEN), with1(4, 'A'), with1(4, 'B')), rung: 'rerun' },
  'adjacent lines': {
    ...file('a.txt', lines(...TEN), with1(4, 'A'), with1(5, 'B')),
    rung: 'rerun',
  },
  'two additions at one place in source code': {
    ...file('a.ts', 'a();\n', 'a();\nb();\n', 'a();\nc();\n'),
    rung: 'rerun',
  },
  'import lists': {
    ...file(
      'a.ts',
      "import { a } from 'x';\n",
      "import { a, b } from 'x';\n",
      "import { a, c } from 'x';\n",
    ),
    rung: 'rerun',
  },
  'a moved function that the other side changed': {
    ...file(
      'a.ts',
      lines('f() {', ' 1', '}', 'g() {', ' 2', '}'),
      lines('g() {', ' 2', '}', 'f() {', ' 1', '}'),
      lines('f() {', ' 9', '}', 'g() {', ' 2', '}'),
    ),
    rung: 'rerun',
  },
  'both sides add the same file': {
    ...added('n.txt', 'same\n', 'same\n'),
    rung: 'clean',
    result: { 'n.txt': 'same\n' },
  },
  'both sides add a file differently': { ...added('n.txt', 'one\n', 'two\n'), rung: 'rerun' },
  'one file renamed twice': {
    base: { a: lines(...TEN) },
    ours: { a: null, b: lines(...TEN) },
    theirs: { a: null, c: lines(...TEN) },
    rung: 'rerun',
  },
  'two files renamed to one': {
    base: { a: lines(...TEN), b: lines('x', ...TEN.slice(3)) },
    ours: { a: null, c: lines(...TEN) },
    theirs: { b: null, c: lines('x', ...TEN.slice(3)) },
    rung: 'rerun',
  },
  'renamed here, deleted there': {
    base: { a: lines(...TEN) },
    ours: { a: null, b: lines(...TEN) },
    theirs: { a: null },
    rung: 'rerun',
  },
  'renamed here, changed there': {
    base: { a: lines(...TEN) },
    ours: { a: null, b: lines(...TEN) },
    theirs: { a: with1(4, 'X') },
    rung: 'clean',
    result: { a: null, b: with1(4, 'X') },
  },
  'changed here, deleted there': {
    base: { a: 'a\n' },
    ours: { a: 'b\n' },
    theirs: { a: null },
    rung: 'rerun',
  },
  'deleted here, changed there': {
    base: { a: 'a\n' },
    ours: { a: null },
    theirs: { a: 'b\n' },
    rung: 'rerun',
  },
  'deleted on both sides': {
    base: { a: 'a\n', b: 'b\n' },
    ours: { a: null },
    theirs: { a: null },
    rung: 'clean',
    result: { a: null, b: 'b\n' },
  },
  'a mode here, text there': {
    base: { a: 'a\n' },
    ours: { a: { mode: '100755', content: 'a\n' } },
    theirs: { a: 'b\n' },
    rung: 'clean',
    result: { a: 'b\n' },
  },
  'links to different places': {
    base: { a: link('x') },
    ours: { a: link('y') },
    theirs: { a: link('z') },
    rung: 'rerun',
  },
  'a file against a link': {
    ...added('n', 'one\n', 'two\n'),
    theirs: { n: link('elsewhere') },
    rung: 'rerun',
  },
  'binary files': { ...file('a.bin', 'a\0', 'b\0', 'c\0'), rung: 'rerun' },
  'a file against a folder': {
    base: { 'x.txt': 'x\n' },
    ours: { n: 'file\n' },
    theirs: { 'n/f.txt': 'folder\n' },
    rung: 'rerun',
  },
  'two commits of a submodule': {
    base: { s: { mode: '160000', content: SUB } },
    ours: { s: { mode: '160000', content: '2'.repeat(40) } },
    theirs: { s: { mode: '160000', content: '3'.repeat(40) } },
    rung: 'rerun',
  },
  'a name beyond ASCII': {
    ...file('dossier/é ü.json', '{}\n', '{"a":1}\n', '{"b":2}\n'),
    rung: 'structural',
    result: { 'dossier/é ü.json': '{"a": 1, "b": 2}\n' },
  },
};

const POLICY: Readonly<Record<string, ConflictCase>> = {
  'the candidate ranks higher': {
    ...file('a.txt', lines(...TEN), with1(4, 'A'), with1(4, 'B')),
    ourCommit: byTask('low'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.txt': with1(4, 'B') },
  },
  'the candidate ranks lower, and keeps what is not in conflict': {
    base: { 'a.txt': lines(...TEN) },
    ours: { 'a.txt': with1(1, 'A') },
    theirs: { 'a.txt': lines('1', 'B', ...TEN.slice(2, 9), 'Z') },
    ourCommit: byTask('high'),
    ladder: ranks('low'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.txt': lines('1', 'A', ...TEN.slice(2, 9), 'Z') },
  },
  'equal ranks: what landed first stays': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    ourCommit: byTask('high'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.txt': 'A\n' },
  },
  'a commit made by hand ranks above all': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.txt': 'A\n' },
  },
  'a rule comes before the policy': {
    ...pkg({}, { a: 1 }, { b: 2 }),
    ourCommit: byTask('low'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'structural',
    result: merged({ a: 1, b: 2 }),
  },
  'no final newline on the winner': {
    ...file('a.txt', 'x\n', 'A\n', 'B'),
    ourCommit: byTask('low'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.txt': 'B' },
  },
  'binary files go to the winner whole': {
    ...file('a.bin', 'a\0', 'b\0', 'c\0'),
    ourCommit: byTask('low'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.bin': 'c\0' },
  },
  'links go to the winner whole': {
    base: { a: link('x') },
    ours: { a: link('y') },
    theirs: { a: link('z') },
    ourCommit: byTask('high'),
    ladder: ranks('low'),
    policy: 'priority',
    rung: 'policy',
    result: { a: 'y' },
  },
  'a deletion against a change is never decided by rank': {
    base: { a: 'a\n' },
    ours: { a: null },
    theirs: { a: 'b\n' },
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'rerun',
  },
  'JSON that a choice of hunks would break': {
    ...file('a.json', '{\n"a": 1\n}\n', '{\n"a": 2,\n"b": 1\n}\n', '{\n"a": 3\n}\n'),
    ourCommit: byTask('low'),
    ladder: ranks('high'),
    policy: 'priority',
    rung: 'policy',
    result: { 'a.json': '{\n"a": 3\n}\n' },
  },
  'the candidate is newer': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    ourCommit: { when: 1_700_000_001 },
    theirCommit: { when: 1_700_000_002 },
    policy: 'theirs-if-newer',
    rung: 'policy',
    result: { 'a.txt': 'B\n' },
  },
  'the candidate is older': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    ourCommit: { when: 1_700_000_002 },
    theirCommit: { when: 1_700_000_001 },
    policy: 'theirs-if-newer',
    rung: 'policy',
    result: { 'a.txt': 'A\n' },
  },
  'the same second: what landed first stays': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    policy: 'theirs-if-newer',
    rung: 'policy',
    result: { 'a.txt': 'A\n' },
  },
  'auto_merge chooses nobody': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    policy: 'auto_merge',
    rung: 'rerun',
  },
  'where the policy must not choose yet': {
    ...file('a.txt', 'x\n', 'A\n', 'B\n'),
    ladder: { ...ranks('high'), withoutPolicy: true },
    policy: 'priority',
    rung: 'rerun',
  },
};

describe.each([
  ['text and layout', TEXT],
  ['policies', POLICY],
  ['JSON', JSON_CASES],
  ['lists', LIST_CASES],
] as const)('conflicts: %s', (_group, cases) => {
  let rig: ConflictRig;
  beforeAll(async () => {
    rig = await makeConflictRig();
  });
  afterAll(() => rig.cleanup());

  it.each(Object.entries(cases))('%s', async (_name, one) => {
    const { rungs, result } = await play(rig, one);
    expect(rungs).toEqual(one.rung === 'clean' ? [] : [one.rung]);
    expect(result).toEqual(one.result ?? {});
  });
});

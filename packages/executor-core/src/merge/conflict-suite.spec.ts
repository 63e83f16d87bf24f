import type { ConflictPolicy } from '../model/task';
import type { ConflictRig, Merge } from '../testing/conflict-rig';
import { makeConflictRig } from '../testing/conflict-rig';
import type { Ladder } from './resolve-conflict';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

interface Case extends Merge {
  readonly policy?: ConflictPolicy;
  readonly ladder?: Ladder;
  /** What settles it; of several paths the rungs by path. */
  readonly rung: 'clean' | 'structural' | 'policy' | 'rerun' | 'person';
  /** Content of the merged tree; `null`: no such file. */
  readonly result?: Readonly<Record<string, string | null>>;
}

const lines = (...text: readonly string[]): string => text.map((line) => `${line}\n`).join('');
const json = (value: unknown, indent: number | string = 2): string =>
  `${JSON.stringify(value, null, indent)}\n`;
/** One file, three versions. */
const file = (path: string, base: string, ours: string, theirs: string): Merge => ({
  base: { [path]: base },
  ours: { [path]: ours },
  theirs: { [path]: theirs },
});
/** One file both sides add. */
const added = (path: string, ours: string, theirs: string): Merge => ({
  base: { 'other.txt': 'x\n' },
  ours: { [path]: ours },
  theirs: { [path]: theirs },
});
/** `package.json` with members beside its name. */
const pkg = (base: object, ours: object, theirs: object): Merge =>
  file(
    'package.json',
    json({ name: 'p', ...base }),
    json({ name: 'p', ...ours }),
    json({ name: 'p', ...theirs }),
  );
const merged = (value: object): Case['result'] => ({
  'package.json': json({ name: 'p', ...value }),
});
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

const TEXT: Readonly<Record<string, Case>> = {
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

const JSON_CASES: Readonly<Record<string, Case>> = {
  'dependencies added side by side, sorted': {
    ...pkg(
      { dependencies: { a: '1', z: '1' } },
      { dependencies: { a: '1', m: '1', z: '1' } },
      { dependencies: { a: '1', c: '1', z: '1' } },
    ),
    rung: 'structural',
    result: merged({ dependencies: { a: '1', c: '1', m: '1', z: '1' } }),
  },
  'scripts added side by side, in their places': {
    ...pkg(
      { scripts: { test: 't', build: 'b' } },
      { scripts: { test: 't', build: 'b', mine: 'm' } },
      { scripts: { test: 't', build: 'b', yours: 'y' } },
    ),
    rung: 'structural',
    result: merged({ scripts: { test: 't', build: 'b', mine: 'm', yours: 'y' } }),
  },
  'both raise the version': {
    ...pkg({ version: '1.2.3' }, { version: '1.2.4' }, { version: '1.3.0' }),
    rung: 'structural',
    result: merged({ version: '1.3.0' }),
  },
  'both raise a dependency': {
    ...pkg(
      { dependencies: { a: '^1.0.0' } },
      { dependencies: { a: '^1.10.0' } },
      { dependencies: { a: '^1.9.0' } },
    ),
    rung: 'structural',
    result: merged({ dependencies: { a: '^1.10.0' } }),
  },
  'a release is higher than its candidate': {
    ...pkg({ version: '1.0.0-rc.1' }, { version: '1.0.0-rc.2' }, { version: '1.0.0' }),
    rung: 'structural',
    result: merged({ version: '1.0.0' }),
  },
  'version ranges of two shapes': {
    ...pkg(
      { dependencies: { a: '^1.0.0' } },
      { dependencies: { a: '~1.1.0' } },
      { dependencies: { a: '^1.2.0' } },
    ),
    rung: 'rerun',
  },
  'both change a script': {
    ...pkg({ scripts: { a: '1' } }, { scripts: { a: '2' } }, { scripts: { a: '3' } }),
    rung: 'rerun',
  },
  'removed here, untouched there': {
    ...pkg(
      { dependencies: { a: '1', b: '1' } },
      { dependencies: { a: '1' } },
      { dependencies: { a: '1', b: '1', c: '1' } },
    ),
    rung: 'structural',
    result: merged({ dependencies: { a: '1', c: '1' } }),
  },
  'removed here, changed there': {
    ...pkg(
      { dependencies: { a: '1.0.0' } },
      { dependencies: {} },
      { dependencies: { a: '2.0.0' } },
    ),
    rung: 'rerun',
  },
  'keywords as a set': {
    ...pkg({ keywords: ['a', 'b'] }, { keywords: ['a', 'b', 'c'] }, { keywords: ['b', 'd'] }),
    rung: 'structural',
    result: merged({ keywords: ['b', 'c', 'd'] }),
  },
  'workspaces as a set': {
    ...pkg(
      { workspaces: { packages: ['a'] } },
      { workspaces: { packages: ['a', 'b'] } },
      { workspaces: { packages: ['a', 'c'] } },
    ),
    rung: 'structural',
    result: merged({ workspaces: { packages: ['a', 'b', 'c'] } }),
  },
  'files with an exclusion, where order counts': {
    ...pkg({ files: ['a'] }, { files: ['a', '!b'] }, { files: ['a', 'c'] }),
    rung: 'rerun',
  },
  'other lists': {
    ...file('a.json', json({ l: [1] }), json({ l: [1, 2] }), json({ l: [1, 3] })),
    rung: 'rerun',
  },
  'nested keys': {
    ...file(
      'tsconfig.json',
      json({ c: { a: { x: 1 } } }),
      json({ c: { a: { x: 1, y: 2 } } }),
      json({ c: { a: { x: 1, z: 3 } } }),
    ),
    rung: 'structural',
    result: { 'tsconfig.json': json({ c: { a: { x: 1, y: 2, z: 3 } } }) },
  },
  'a value against an object': {
    ...file('a.json', json({ a: 1 }), json({ a: { b: 1 } }), json({ a: 2 })),
    rung: 'rerun',
  },
  'a version outside of package.json': {
    ...file(
      'a.json',
      json({ version: '1.0.0' }),
      json({ version: '1.0.1' }),
      json({ version: '1.0.2' }),
    ),
    rung: 'rerun',
  },
  'tabs of the target against spaces': {
    ...file('a.json', json({ a: 1 }), json({ a: 1, b: 2 }, '\t'), json({ a: 1, c: { d: 3 } })),
    rung: 'structural',
    result: { 'a.json': json({ a: 1, b: 2, c: { d: 3 } }, '\t') },
  },
  'no final newline on the target': {
    ...file(
      'a.json',
      '{\n  "a": 1\n}\n',
      '{\n  "a": 1,\n  "b": 2\n}',
      '{\n  "a": 1,\n  "c": 3\n}\n',
    ),
    rung: 'structural',
    result: { 'a.json': '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}' },
  },
  'CRLF on the target': {
    ...file(
      'a.json',
      '{\r\n  "a": 1\r\n}\r\n',
      '{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n',
      '{\r\n  "a": 1,\r\n  "c": 3\r\n}\r\n',
    ),
    rung: 'structural',
    result: { 'a.json': '{\r\n  "a": 1,\r\n  "b": 2,\r\n  "c": 3\r\n}\r\n' },
  },
  'letters and escapes beyond ASCII': {
    ...file(
      'a.json',
      '{\n  "ä": 1\n}\n',
      '{\n  "ä": 1,\n  "\\u00e9": "日本"\n}\n',
      '{\n  "ä": 1,\n  "ö": "\\u00fc"\n}\n',
    ),
    rung: 'structural',
    result: { 'a.json': '{\n  "ä": 1,\n  "é": "日本",\n  "ö": "\\u00fc"\n}\n' },
  },
  'numbers keep their digits': {
    ...file('a.json', json({}), '{\n  "a": 1.50\n}\n', '{\n  "b": 12345678901234567890\n}\n'),
    rung: 'structural',
    result: { 'a.json': '{\n  "a": 1.50,\n  "b": 12345678901234567890\n}\n' },
  },
  'both sides add a package': {
    ...added('p/package.json', json({ name: 'x', a: 1 }), json({ name: 'x', b: 2 })),
    rung: 'structural',
    result: { 'p/package.json': json({ name: 'x', a: 1, b: 2 }) },
  },
  'JSON with comments': {
    ...file(
      'a.json',
      '{\n  // c\n  "a": 1\n}\n',
      '{\n  // c\n  "a": 1,\n  "b": 1\n}\n',
      '{\n  // c\n  "a": 1,\n  "c": 1\n}\n',
    ),
    rung: 'rerun',
  },
  'one key twice': {
    ...file('a.json', '{"a":1}\n', '{"a":1,"a":2}\n', '{"a":1,"b":2}\n'),
    rung: 'rerun',
  },
  'the rules switched off': {
    ...pkg({}, { a: 1 }, { b: 2 }),
    ladder: { structural: false },
    rung: 'rerun',
  },
  'under the policy manual': { ...pkg({}, { a: 1 }, { b: 2 }), policy: 'manual', rung: 'person' },
};

const LISTS: Readonly<Record<string, Case>> = {
  'a changelog': {
    ...file(
      'CHANGELOG.md',
      lines('# C', '', '- old'),
      lines('# C', '', '- ours', '- old'),
      lines('# C', '', '- theirs', '- old'),
    ),
    rung: 'structural',
    result: { 'CHANGELOG.md': lines('# C', '', '- ours', '- theirs', '- old') },
  },
  'a changelog where both open the same section': {
    ...file(
      'packages/a/CHANGELOG.md',
      lines('# C', '', '## 1'),
      lines('# C', '', '## 2', '', '- o', '', '## 1'),
      lines('# C', '', '## 2', '', '- t', '', '## 1'),
    ),
    rung: 'structural',
    result: { 'packages/a/CHANGELOG.md': lines('# C', '', '## 2', '', '- o', '- t', '', '## 1') },
  },
  'a changelog with a changed entry': {
    ...file(
      'CHANGELOG.md',
      lines('# C', '- old'),
      lines('# C', '- older'),
      lines('# C', '- new', '- old'),
    ),
    rung: 'rerun',
  },
  'a barrel': {
    ...file(
      'src/index.ts',
      "export * from './a';\n",
      "export * from './a';\nexport * from './b';\n",
      "export * from './a';\nexport { c } from './c';\n",
    ),
    rung: 'structural',
    result: {
      'src/index.ts': "export * from './a';\nexport * from './b';\nexport { c } from './c';\n",
    },
  },
  'a barrel to which both add one line in common': {
    ...file(
      'index.js',
      "import './a';\n",
      "import './a';\nimport './b';\nimport './c';\n",
      "import './a';\nimport './c';\nimport './d';\n",
    ),
    rung: 'structural',
    result: { 'index.js': "import './a';\nimport './b';\nimport './c';\nimport './d';\n" },
  },
  'a barrel with a removal': {
    ...file(
      'src/index.ts',
      lines("export * from './a';", "export * from './b';"),
      lines("export * from './a';"),
      lines("export * from './a';", "export * from './b2';"),
    ),
    rung: 'rerun',
  },
  'an index file with code': {
    ...file(
      'src/index.ts',
      "export * from './a';\nrun();\n",
      "export * from './a';\nrun();\none();\n",
      "export * from './a';\nrun();\ntwo();\n",
    ),
    rung: 'rerun',
  },
  'a list the plan names': {
    ...file('routes/list.py', 'a\n', 'a\nb\n', 'a\nc\n'),
    ladder: { union: ['routes/**'] },
    rung: 'structural',
    result: { 'routes/list.py': 'a\nb\nc\n' },
  },
  'a list without a final newline': {
    ...file('CHANGELOG.md', 'a', 'a\nb', 'a\nc'),
    rung: 'rerun',
  },
  'CRLF in a list': {
    ...file('CHANGELOG.md', 'a\r\nz\r\n', 'a\r\nb\r\nz\r\n', 'a\r\nc\r\nz\r\n'),
    rung: 'structural',
    result: { 'CHANGELOG.md': 'a\r\nb\r\nc\r\nz\r\n' },
  },
  'text that looks like markers': {
    ...file('CHANGELOG.md', 'a\n', 'a\n=======\nb\n', 'a\nc\n'),
    rung: 'rerun',
  },
};

const POLICY: Readonly<Record<string, Case>> = {
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
  ['JSON', JSON_CASES],
  ['lists', LISTS],
  ['policies', POLICY],
] as const)('conflicts: %s', (_group, cases) => {
  let rig: ConflictRig;
  beforeAll(async () => {
    rig = await makeConflictRig();
  });
  afterAll(() => rig.cleanup());

  it.each(Object.entries(cases))('%s', async (_name, one) => {
    const answer = await rig.resolve(one, one.policy ?? 'wait', one.ladder);
    const rungs =
      answer.kind === 'unresolved' ? [answer.next] : answer.resolved.map(({ rung }) => rung);
    expect([...new Set(rungs)]).toEqual(one.rung === 'clean' ? [] : [one.rung]);
    for (const [path, content] of Object.entries(one.result ?? {})) {
      const tree = answer.kind === 'merged' ? answer.tree : '';
      expect(await rig.show(tree, path)).toBe(content);
    }
  });
});

import type { ConflictCase } from './conflict-rig';
import { added, file, json, lines, merged, pkg } from './conflict-rig';

/** Conflicts in JSON, by name, with the rung that settles each. */
export const JSON_CASES: Readonly<Record<string, ConflictCase>> = {
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

/** Conflicts in lists: changelogs, barrels, registrations. */
export const LIST_CASES: Readonly<Record<string, ConflictCase>> = {
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

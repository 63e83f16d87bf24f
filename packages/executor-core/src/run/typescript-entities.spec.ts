import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeProcessRunner } from '../adapters/node-process-runner';
import { nodeProcesses } from '../adapters/node-processes';
import type { ConflictRig, Merge } from '../testing/conflict-rig';
import { added, file, lines, makeConflictRig } from '../testing/conflict-rig';
import type { LadderTools } from './ladder-tools';
import { mergeTypeScript } from './typescript-entities';

/** Real programs on a busy machine. */
jest.setTimeout(120_000);

const fn = (name: string, ...body: string[]): string =>
  lines('', `function ${name}() {`, ...body.map((line) => `  ${line}`), '}');

describe('the merge of TypeScript by its declarations', () => {
  let rig: ConflictRig;
  let tools: LadderTools;
  beforeAll(async () => {
    rig = await makeConflictRig();
    const { root } = rig.repo;
    const runner = nodeProcessRunner(nodeProcesses());
    const own = { git: rig.git, fs: nodeFileSystem(), runner, clock: nodeClock() };
    tools = { ...own, env: process.env, root, commonDir: join(root, '.git') };
    await mkdir(join(root, 'node_modules'));
    const compiler = dirname(require.resolve('typescript/package.json'));
    await symlink(compiler, join(root, 'node_modules/typescript'));
  });
  afterAll(() => rig.cleanup());

  /** The merged text of `a.ts`, or what comes next. */
  async function merge(one: Merge): Promise<string | null> {
    const entity = (versions: Parameters<typeof mergeTypeScript>[1]) =>
      mergeTypeScript(tools, versions);
    const answer = await rig.resolve(one, 'wait', { entity });
    if (answer.kind === 'unresolved') return null;
    expect(answer.resolved).toMatchObject([{ path: 'a.ts', rung: 'entity' }]);
    return rig.show(answer.tree, 'a.ts');
  }

  it('keeps both of two functions added at one place, the target first', async () => {
    const base = fn('a');
    expect(await merge(file('a.ts', base, base + fn('b', '1;'), base + fn('c', '2;')))).toBe(
      base + fn('b', '1;') + fn('c', '2;'),
    );
  });

  it('takes edits of adjacent declarations', async () => {
    const code = (x: string, y: string): string => `const x = ${x};\nconst y = ${y};\n`;
    expect(await merge(file('a.ts', code('1', '1'), code('2', '1'), code('1', '2')))).toBe(
      code('2', '2'),
    );
  });

  it('leaves the target its import and adds what the candidate imports', async () => {
    const code = (names: string): string => `import { ${names} } from 'x';\n`;
    expect(await merge(file('a.ts', code('a'), code('a, b'), code('a, type c')))).toBe(
      code('a, b') + code('type c'),
    );
    const other = (name: string): string => `import ${name}, { a } from 'x';\n`;
    expect(await merge(file('a.ts', other('p'), other('q'), other('r')))).toBeNull();
  });

  it('follows a function that one side moved and the other changed', async () => {
    const [f, g] = [fn('f', '1;'), fn('g', '2;', '3;', '4;')];
    const changed = fn('f', '9;');
    expect(await merge(file('a.ts', f + g, g + f, changed + g))).toBe(g + changed);
    expect(await merge(file('a.ts', f + g, changed + g, g + f))).toBe(g + changed);
  });

  it('merges two files of one name by what they declare', async () => {
    expect(await merge(added('a.ts', fn('a'), fn('b')))).toBe(fn('a') + fn('b'));
  });

  it('is no answer to one line changed in two ways, nor to removed against changed', async () => {
    const [f, g] = [fn('f', '1;'), fn('g', '2;')];
    expect(await merge(file('a.ts', f + g, fn('f', '2;') + g, fn('f', '3;') + g))).toBeNull();
    expect(await merge(file('a.ts', f + g, g, fn('f', '3;') + g))).toBeNull();
  });

  it('does not take what replaced one thing twice for two things', async () => {
    const call = (word: string): string => `const x = 1;\nstart(${word});\n`;
    expect(await merge(file('a.ts', call('1'), call('2'), call('3')))).toBeNull();
    expect(await merge(file('a.ts', fn('f'), fn('g'), fn('h')))).toBeNull();
    const code = (names: string): string => `import { ${names} } from 'x';\n`;
    expect(await merge(file('a.ts', code('a'), code('a, b'), code('a, c as b')))).toBeNull();
    expect(await merge(added('a.ts', fn('a'), 'const a = 1;\n'))).toBeNull();
  });

  it('does not guess at what it cannot read', async () => {
    const twice = (text: string): string => `const x = ${text}; const y = ${text};\n`;
    expect(await merge(file('a.ts', twice('1'), twice('2'), twice('3')))).toBeNull();
    expect(await merge(file('a.ts', 'a(\n', 'a(\nb();\n', 'a(\nc();\n'))).toBeNull();
    const open = (word: string): string => `const x = 1;\n${word}();`;
    expect(await merge(file('a.ts', open('a'), open('b'), open('c')))).toBeNull();
  });

  it('is not asked for other files, nor without a compiler', async () => {
    const bytes = Buffer.from('');
    const versions = { path: 'a.py', base: bytes, ours: bytes, theirs: bytes, marked: bytes };
    expect(await mergeTypeScript(tools, versions)).toBeNull();
    const bare = { ...tools, root: join(rig.repo.root, 'nowhere') };
    expect(await mergeTypeScript(bare, { ...versions, path: 'a.ts' })).toBeNull();
  });
});

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROJECTS } from './projects.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const REPOSITORY = dirname(dirname(HERE));
const OURS = ['@parallel-executor', 'parallel', 'parallel-cli'];

/** How many of the libraries get an agent; the rest depend on them and must stay green. */
export const TASKS = 25;
/** The libraries that get an agent. */
export const CHANGED = PROJECTS.slice(0, TASKS);

/** Creates the shop at `root`: libraries, Nx, the plan, one commit on `main`. Uses no network. */
export function makeWorkspace(root) {
  const write = (path, content) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    writeFileSync(join(root, path), text);
  };
  write('package.json', { name: 'shop', private: true, workspaces: ['packages/*'] });
  write('nx.json', {
    analytics: false,
    neverConnectToCloud: true,
    defaultBase: 'main',
    plugins: ['@parallel-executor/nx'],
  });
  write('.gitignore', 'node_modules/\n.nx/\n.parallel/\n.worktrees/\n');
  for (const project of PROJECTS) writeProject(project, write);
  write('parallel.yaml', planText());
  mkdirSync(join(root, 'tools'));
  for (const file of ['codemod.mjs', 'thinking-time.mjs']) {
    copyFileSync(join(HERE, 'workspace', file), join(root, 'tools', file));
  }
  linkModules(join(root, 'node_modules'));
  const git = (...args) => execFileSync('git', args, { cwd: root, stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Demo');
  git('config', 'user.email', 'demo@example.com');
  git('add', '--all');
  git('commit', '--quiet', '--message=A shop of 32 libraries');
}

function writeProject({ name, uses = {}, functions, examples }, write) {
  write(`packages/${name}/package.json`, {
    name: `@shop/${name}`,
    version: '0.0.0',
    private: true,
    type: 'module',
    exports: './src/index.js',
    dependencies: Object.fromEntries(Object.keys(uses).map((used) => [`@shop/${used}`, '*'])),
    nx: {
      name,
      targets: {
        test: {
          executor: 'nx:run-commands',
          options: { command: 'node --test', cwd: '{projectRoot}' },
          cache: true,
          inputs: ['default', '^default', { externalDependencies: [] }],
        },
      },
    },
  });
  const imports = Object.entries(uses).map(
    ([used, names]) => `import { ${names.join(', ')} } from '../../${used}/src/index.js';\n`,
  );
  const sources = functions.map(({ doc, code }) => {
    const lines = doc.split('\n').map((line) => ` * ${line}\n`);
    return `/**\n${lines.join('')} */\n${code}\n`;
  });
  write(`packages/${name}/src/index.js`, [imports.join(''), ...sources].filter(Boolean).join('\n'));
  const called = functions.map(({ code }) => /function (\w+)/.exec(code)[1]);
  const used = called.filter((fn) =>
    examples.some(([expression]) => expression.includes(`${fn}(`)),
  );
  const tests = examples.map(
    ([expression, value]) =>
      `test(${JSON.stringify(expression)}, () => {\n` +
      `  assert.deepEqual(${expression}, ${JSON.stringify(value)});\n});\n`,
  );
  const head =
    "import assert from 'node:assert/strict';\nimport { test } from 'node:test';\n" +
    `import { ${used.join(', ')} } from '../src/index.js';\n`;
  write(`packages/${name}/test/index.test.js`, [head, ...tests].join('\n'));
}

function planText() {
  const tasks = CHANGED.map(
    ({ name }) => `  ${name}-input:
    agent: codemod
    project: ${name}
    prompt: Make every exported function of packages/${name} check its input.
    writes: [packages/${name}/**]
    verify: [node --test packages/${name}/test/]
`,
  );
  return `version: 1
parallel_executor:
  max_agents: 25
  worktree_base: .worktrees/
  timeout: 2m
  verify: [npx nx affected -t test --base=$PARALLEL_BASE]
agents:
  codemod: { adapter: command, command: node tools/codemod.mjs }
tasks:
${tasks.join('')}`;
}

/** One link per installed package, and our own packages under their names and under the alias. */
/** Gives a workspace our packages and what they need, as an installation would. */
export function linkModules(target) {
  mkdirSync(join(target, '@parallel-executor'), { recursive: true });
  const source = join(REPOSITORY, 'node_modules');
  for (const entry of readdirSync(source).filter((name) => !OURS.includes(name))) {
    symlinkSync(join(source, entry), join(target, entry));
  }
  const packages = join(REPOSITORY, 'packages');
  symlinkSync(join(packages, 'executor-core'), join(target, '@parallel-executor/core'));
  symlinkSync(join(packages, 'nx-plugin'), join(target, '@parallel-executor/nx'));
  symlinkSync(join(packages, 'nx-plugin'), join(target, 'parallel'));
}

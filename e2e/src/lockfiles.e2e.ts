import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Rig } from './rig';
import { makeRig } from './rig';

jest.setTimeout(180_000);

interface Manager {
  /** Package of the registry, and the program in it. */
  readonly install: string;
  readonly program: string;
  readonly name: 'pnpm' | 'yarn';
  readonly lockfile: string;
  /** Brings the lockfile up to date, as a person does. */
  readonly update: string;
  /** How its lockfiles begin to say what they are. */
  readonly format: RegExp;
}

const PNPM: Manager = {
  install: 'pnpm@9.15.9',
  program: 'node_modules/pnpm/bin/pnpm.cjs',
  name: 'pnpm',
  lockfile: 'pnpm-lock.yaml',
  update: 'pnpm install --lockfile-only --ignore-scripts',
  format: /^lockfileVersion: '9/m,
};
const CLASSIC: Manager = {
  install: 'yarn@1.22.22',
  program: 'node_modules/yarn/bin/yarn.js',
  name: 'yarn',
  lockfile: 'yarn.lock',
  update: 'yarn install --ignore-scripts --silent',
  format: /^# yarn lockfile v1$/m,
};
const BERRY: Manager = {
  install: '@yarnpkg/cli-dist@4.9.1',
  program: 'node_modules/@yarnpkg/cli-dist/bin/yarn.js',
  name: 'yarn',
  lockfile: 'yarn.lock',
  update: 'yarn install --mode=update-lockfile',
  format: /^__metadata:$/m,
};

let rig: Rig;
/** Outside of everything: its packages, and programs that start them. */
let tools: string;
let marker: string;
const outside = { ...process.env };
/** All of them ask where npm asks: no other host need be reachable. */
const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
beforeEach(async () => {
  rig = await makeRig();
  tools = realpathSync(mkdtempSync(join(tmpdir(), 'managers-')));
  marker = join(tools, 'a-script-was-run');
});
afterEach(async () => {
  process.env = { ...outside };
  await rig.done();
  rmSync(tools, { recursive: true });
});

/** Puts the real program first on PATH. */
function install({ install: wanted, program, name }: Manager): void {
  writeFileSync(join(tools, 'package.json'), '{}');
  const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  execFileSync('npm', ['install', ...quiet, wanted], { cwd: tools });
  mkdirSync(join(tools, 'bin'), { recursive: true });
  const start = `#!/bin/sh\nexec '${process.execPath}' '${join(tools, program)}' "$@"\n`;
  writeFileSync(join(tools, 'bin', name), start);
  chmodSync(join(tools, 'bin', name), 0o755);
  process.env['PATH'] = `${join(tools, 'bin')}${delimiter}${outside['PATH'] ?? ''}`;
  process.env['npm_config_registry'] = registry;
  process.env['YARN_NPM_REGISTRY_SERVER'] = registry;
  process.env['YARN_UNSAFE_HTTP_WHITELIST'] = new URL(registry).hostname;
}

const manifest = (dependencies: object): string =>
  `${JSON.stringify({ name: 'top', version: '1.0.0', private: true, scripts: { postinstall: `touch '${marker}'` }, dependencies }, null, 2)}\n`;

/** Both agents add a package, at the same time and place, and update the lockfile. */
const PLAN = ({ update, lockfile }: Manager): string => `parallel_executor:
  default_agent: adder
  retry_policy: { max_retries: 0 }
  setup: {}
agents:
  adder:
    adapter: command
    command: 'touch "$PARALLEL_ROOT/.parallel/$PARALLEL_TASK_ID.begun"; until test -e "$PARALLEL_ROOT/.parallel/isarray.begun" -a -e "$PARALLEL_ROOT/.parallel/inherits.begun"; do sleep 0.05; done; node add.js "$PARALLEL_TASK_ID" && { ${update}; }'
locks: { conflict_resolution: auto_merge }
tasks:
  isarray: { writes: [package.json, ${lockfile}] }
  inherits: { writes: [package.json, ${lockfile}] }
`;
const ADD = `const fs = require('node:fs');
const own = JSON.parse(fs.readFileSync('package.json', 'utf8'));
own.dependencies[process.argv[2]] = { isarray: '2.0.5', inherits: '2.0.4' }[process.argv[2]];
fs.writeFileSync('package.json', JSON.stringify(own, null, 2) + '\\n');
`;

async function begin(manager: Manager, instead = (): void => undefined): Promise<void> {
  install(manager);
  instead();
  const { lockfile, update } = manager;
  await rig.write({
    'package.json': manifest({ wrappy: '1.0.2' }),
    ...(manager.name === 'yarn' ? { [lockfile]: '' } : {}),
  });
  // Jest's environment is a copy that child processes do not get by themselves.
  execFileSync('sh', ['-c', update], { cwd: rig.root, env: process.env, stdio: 'pipe' });
  rmSync(marker, { force: true });
  await rig.repository.commit(
    {
      'parallel.yaml': PLAN(manager),
      'add.js': ADD,
      '.gitignore': 'node_modules\n.yarn\n.pnp.*\n',
    },
    'plan',
  );
}

describe('a lockfile that two agents changed', () => {
  it.each<[string, Manager]>([
    ['pnpm', PNPM],
    ['the first Yarn', CLASSIC],
    ['a later Yarn', BERRY],
  ])('is made anew by %s, which runs no script', async (_name, manager) => {
    await begin(manager);
    const { code, stderr } = await rig.cli('run', '--progress', 'plain');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const own = JSON.parse(await rig.git('show', 'HEAD:package.json')) as Record<string, unknown>;
    expect(own['dependencies']).toMatchObject({ isarray: '2.0.5', inherits: '2.0.4' });
    const lock = await rig.git('show', `HEAD:${manager.lockfile}`);
    for (const part of [/\bisarray@/, /\binherits@/, /\bwrappy@/, manager.format])
      expect(lock).toMatch(part);
    const trailers = await rig.git('log', '-1', '--format=%(trailers:key=Parallel-Resolved)');
    expect(trailers).toContain(`structural ${manager.lockfile}`);
    expect(existsSync(marker)).toBe(false);
  });

  it('stays in conflict where the Yarn that is there would write it as an older one did', async () => {
    // The agents have the one that wrote it, who lands has the first.
    const own = join(tools, 'later-yarn.js');
    await begin({ ...BERRY, update: `node ${own} install --mode=update-lockfile` }, () => {
      cpSync(join(tools, BERRY.program), own);
      install(CLASSIC);
    });
    const { code } = await rig.cli('run', '--progress', 'plain');
    expect(code).toBe(1);
    expect(await rig.git('show', 'HEAD:yarn.lock')).toMatch(BERRY.format);
    expect(existsSync(marker)).toBe(false);
  });
});

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import nodeModule from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Rig } from './rig';
import { makeRig, until } from './rig';

const PACKAGE = resolve(__dirname, '../../packages/cli');

let rig: Rig;
/** What a user installs, and nothing around it. */
let installed: string;

beforeEach(async () => {
  rig = await makeRig();
  installed = await realpath(await mkdtemp(join(tmpdir(), 'installed-')));
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(PACKAGE, part), join(installed, part), {
      recursive: true,
      filter: (path) => !path.includes('.cache'),
    });
  }
});
afterEach(async () => {
  await rig.done();
  await rm(installed, { recursive: true });
});

const argv = (args: readonly string[]): string[] => [
  join(installed, 'bin/parallel-cli.js'),
  ...args,
];
const cli = (...args: string[]): string =>
  execFileSync(process.execPath, argv(args), { cwd: rig.root, encoding: 'utf8', stdio: 'pipe' });
const caches = (): string[] =>
  readdirSync(join(installed, 'dist')).filter((name) => name.endsWith('.cache'));

const plan = (command: string): string => `parallel_executor: { default_agent: writer }
agents: { writer: &writer { adapter: command, command: ${JSON.stringify(command)} }, same: *writer }
tasks: { one: { writes: [one.txt] } }
`;

describe('the installed command line', () => {
  it('needs nothing around it: it runs a plan in full YAML and answers in colour', async () => {
    await rig.repository.commit({ 'parallel.yaml': plan('echo 1 > one.txt') }, 'plan');
    expect(cli('--color', 'always', 'run')).toContain('\u001B[');
    expect(await rig.git('show', 'HEAD:one.txt')).toBe('1');
    expect(cli('status')).toMatch(/Completed: +1/);
  });

  it('names the licence of everything it contains', () => {
    const licences = readFileSync(join(installed, 'dist/third-party-licenses.txt'), 'utf8');
    for (const name of ['commander', 'zod', 'yaml', 'proper-lockfile']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(\\S+\\)$`, 'm'));
    }
  });

  const oldNode = 'enableCompileCache' in nodeModule ? it.skip : it;
  oldNode(
    'keeps its compiled code once a run has gone on, and bears it being damaged',
    async () => {
      await rig.repository.commit(
        { 'parallel.yaml': plan('until [ -e "$PARALLEL_ROOT/go" ]; do sleep 0.02; done') },
        'plan',
      );
      const run = spawn(process.execPath, argv(['run']), { cwd: rig.root, stdio: 'ignore' });
      const ended = new Promise((done) => run.once('close', done));
      await until(() => caches().length === 1);
      writeFileSync(join(rig.root, 'go'), '');
      expect(await ended).toBe(0);
      expect(cli('status')).toMatch(/Completed: +1/);
      const [name = ''] = caches();
      const cache = join(installed, 'dist', name);
      const bytes = readFileSync(cache);
      writeFileSync(cache, bytes.fill(0, bytes.length / 2, bytes.length / 2 + 1000));
      expect(cli('status')).toMatch(/Completed: +1/);
      expect(existsSync(cache)).toBe(true);
    },
  );
});

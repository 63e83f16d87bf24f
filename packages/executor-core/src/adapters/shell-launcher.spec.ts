import type { Options } from '@swc/core';
import { transformFileSync } from '@swc/core';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { ShellLauncher } from './shell-launcher';

jest.setTimeout(30_000);

describe('ShellLauncher', () => {
  let repository: TestRepository;
  let launcher: ShellLauncher;

  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': 'one\n' });
    launcher = new ShellLauncher({ PATH: process.env['PATH'] ?? '', LC_ALL: 'C' });
  });
  afterEach(() => repository.cleanup());

  const run = (args: readonly string[], cwd = repository.root, env = {}) =>
    launcher.run({ argv: ['git', ...args], cwd, env });

  it('hands every character of an argument to git as it is', async () => {
    const words = [
      `it's`,
      '$HOME `id` $(id)',
      'a;b&c|d',
      '*',
      '\\',
      '"',
      '',
      ' \t',
      '-n',
      'é',
      '#',
    ];
    const { stdout, exitCode } = await run(['rev-parse', '--sq-quote', ...words]);
    expect(exitCode).toBe(0);
    const quoted = words.map((word) => ` '${word.replaceAll("'", `'\\''`)}'`).join('');
    expect(stdout).toBe(`${quoted}\n`);
  });

  it('takes a folder and a variable with quotes in them', async () => {
    const odd = join(repository.root, `it's $(odd)`);
    await mkdir(odd);
    const seen = await run(['rev-parse', '--show-prefix'], odd);
    expect(seen.stdout).toBe(`it's $(odd)/\n`);
    const env = {
      GIT_AUTHOR_NAME: `O'Neil; "x" y`,
      GIT_AUTHOR_EMAIL: 'o@x',
      GIT_AUTHOR_DATE: '1700000000 +0000',
    };
    const ident = await run(['var', 'GIT_AUTHOR_IDENT'], repository.root, env);
    expect(ident.stdout).toBe(`O'Neil; "x" y <o@x> 1700000000 +0000\n`);
  });

  it('leaves to others what would not stay one line', () => {
    const call = { argv: ['a'], cwd: '/', env: {} };
    expect(ShellLauncher.accepts(call)).toBe(true);
    expect(ShellLauncher.accepts({ ...call, argv: ['a\nb'] })).toBe(false);
    expect(ShellLauncher.accepts({ ...call, cwd: '/a\nb' })).toBe(false);
    expect(ShellLauncher.accepts({ ...call, env: { A: 'a\0b' } })).toBe(false);
  });

  it('tells exit codes, stdout and stderr apart for calls that run at the same time', async () => {
    const calls = Array.from({ length: 40 }, (_, at) =>
      at % 2 === 0
        ? run(['rev-parse', '--sq-quote', String(at)])
        : run(['rev-parse', `--verify`, `no-${at}`]),
    );
    const results = await Promise.all(calls);
    results.forEach(({ exitCode, stdout, stderr }, at) => {
      if (at % 2 === 0) expect([exitCode, stdout, stderr]).toEqual([0, ` '${at}'\n`, '']);
      else expect([exitCode, stdout, stderr]).toEqual([128, '', expect.stringContaining('fatal')]);
    });
  });

  it('gives git nothing to read', async () => {
    expect((await run(['hash-object', '--stdin'])).stdout).toBe(
      'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n',
    );
  });

  it('tells that what is under way was interrupted when its shell is killed, and starts another for the next call', async () => {
    const under = run(['-c', 'alias.kill=!kill -9 -$(ps -o pgid= -p $$ | tr -d " ")', 'kill']);
    expect(await under).toMatchObject({
      exitCode: -1,
      stderr: expect.stringContaining('shell') as string,
    });
    expect((await run(['rev-parse', 'HEAD'])).exitCode).toBe(0);
  });

  it('is gone, with its files, soon after the last call', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'launcher-'));
    launcher = new ShellLauncher({ PATH: process.env['PATH'] ?? '' }, scratch);
    await run(['rev-parse', 'HEAD']);
    expect(readdirSync(scratch)).toHaveLength(1);
    const { pid: dead } = spawnSync('true');
    mkdirSync(join(scratch, `parallel-shell-${dead}-killed`));
    writeFileSync(join(scratch, `parallel-object-${dead}-killed`), 'a commit');
    mkdirSync(join(scratch, `parallel-socket-${dead}-killed`));
    await new Promise<void>((resolve) => {
      const watcher = watch(scratch, () => {
        if (readdirSync(scratch).length > 0) return;
        watcher.close();
        resolve();
      });
    });
    rmSync(scratch, { recursive: true });
  });

  it('is gone with its process', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'launcher-'));
    for (const name of ['shell-launcher', 'scratch', 'error-code']) {
      const options = { jsc: { parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } };
      const { code } = transformFileSync(join(__dirname, `${name}.ts`), options as Options);
      writeFileSync(join(scratch, `${name}.js`), code);
    }
    mkdirSync(join(scratch, 'folders'));
    const program = `
      const { ShellLauncher } = require('./shell-launcher.js');
      const launcher = new ShellLauncher({ PATH: process.env.PATH }, 'folders');
      launcher.run({ argv: ['git', 'version'], cwd: '/', env: {} })
        .then(() => console.log(require('node:fs').readdirSync('folders').length));`;
    const { stdout } = spawnSync(process.execPath, ['-e', program], {
      cwd: scratch,
      encoding: 'utf8',
    });
    expect(stdout).toBe('1\n');
    expect(readdirSync(join(scratch, 'folders'))).toEqual([]);
    rmSync(scratch, { recursive: true });
  });
});

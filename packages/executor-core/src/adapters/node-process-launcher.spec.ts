import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mortalLauncher, plainLauncher } from './node-process-launcher';
import { nodeProcessRunner } from './node-process-runner';
import { nodeProcesses } from './node-processes';
import { nodeProcessTrees } from './node-process-trees';
import { brandIn, brandOf } from './process-brand';

const PATH = process.env['PATH'] ?? '';
const launcher = mortalLauncher();
const processes = nodeProcesses();
const runner = nodeProcessRunner(processes, nodeProcessTrees(processes.self()), launcher);
const onLinux = process.platform === 'linux' ? describe : describe.skip;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'launcher-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const run = async (...argv: string[]): Promise<{ code: number | null; signal: string | null }> => {
  const outputPath = join(dir, 'log');
  return (await runner.start({ argv, cwd: dir, env: { PATH }, stdin: null, outputPath })).exited;
};

describe('the plain launcher', () => {
  it('starts a program as it is', async () => {
    const words = await plainLauncher.wordsFor({ argv: ['a', 'b'], cwd: '/', env: {} });
    expect(words).toEqual(['a', 'b']);
  });
});

onLinux('the mortal launcher', () => {
  it('has a program die with whoever started it', async () => {
    // Only what it says itself proves that it was started.
    const program = ['sh', '-c', 'echo $$; exec sleep 1000'];
    const argv = await launcher.wordsFor({ argv: program, cwd: dir, env: { PATH } });
    expect(argv.length).toBeGreaterThan(2);
    const script = `
      const [program, ...args] = ${JSON.stringify(argv)};
      const stdio = ['ignore', 'inherit', 'ignore'];
      require('node:child_process').spawn(program, args, { detached: true, stdio });
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(starter.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(processes.identify(pid)).not.toBeNull();
    starter.kill('SIGKILL');
    while (processes.identify(pid) !== null) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('leaves arguments, exit codes and signals as they are', async () => {
    expect(await run('sh', '-c', 'exit 75')).toEqual({ code: 75, signal: null });
    expect(await run('sh', '-c', 'kill -INT $$')).toEqual({ code: null, signal: 'SIGINT' });
    expect(await run('test', '--help', '=', '--help')).toEqual({ code: 0, signal: null });
  });

  it('brands the processes of an attempt, and what they start, for life', async () => {
    const mark = { run: 'PEXEC-1', task: 'a' };
    const env = { PATH, PARALLEL_RUN_ID: mark.run, PARALLEL_TASK_ID: mark.task };
    const outputPath = join(dir, 'branded');
    const script = 'ulimit -f; setsid env -i sh -c "cat /proc/self/limits"';
    const child = await runner.start({
      argv: ['sh', '-c', script],
      cwd: dir,
      env,
      stdin: null,
      outputPath,
    });
    await child.exited;
    expect(brandIn(readFileSync(outputPath, 'utf8'))).toBe(brandOf(mark));
    expect(await run('cat', '/proc/self/limits')).toEqual({ code: 0, signal: null });
    expect(brandIn(readFileSync(join(dir, 'log'), 'utf8'))).toBeNull();
  });

  it('finds a program relative to the folder it starts in', async () => {
    writeFileSync(join(dir, 'tool'), '#!/bin/sh\nexit 5\n');
    chmodSync(join(dir, 'tool'), 0o755);
    expect(await run('./tool')).toEqual({ code: 5, signal: null });
  });

  it('lets a missing program be reported as missing', async () => {
    await expect(run('no-such-program')).rejects.toThrow('no such program on PATH');
    const words = await launcher.wordsFor({ argv: ['/no/such'], cwd: dir, env: {} });
    expect(words).toEqual(['/no/such']);
  });
});

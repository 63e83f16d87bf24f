import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessSpec, RunningProcess } from '../ports/process-runner';
import { nodeProcessRunner } from './node-process-runner';
import { nodeProcesses } from './node-processes';

describe('nodeProcessRunner', () => {
  const processes = nodeProcesses();
  const runner = nodeProcessRunner(processes);
  let dir: string;
  let running: RunningProcess[];

  const spec = (argv: readonly string[], more: Partial<ProcessSpec> = {}): ProcessSpec => ({
    argv,
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '' },
    stdin: null,
    outputPath: join(dir, 'output.log'),
    ...more,
  });
  const start = async (argv: readonly string[], more?: Partial<ProcessSpec>) => {
    const child = await runner.start(spec(argv, more));
    running.push(child);
    return child;
  };
  const output = (): string => fs.readFileSync(join(dir, 'output.log'), 'utf8');
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(() => {
    dir = fs.mkdtempSync(join(tmpdir(), 'runner-'));
    running = [];
  });
  afterEach(async () => {
    for (const child of running) {
      child.signal('SIGKILL');
      await child.exited;
    }
    fs.rmSync(dir, { recursive: true, force: true });
  });

  it('appends stdout and stderr to one private file', async () => {
    fs.writeFileSync(join(dir, 'output.log'), 'before\n', { mode: 0o600 });
    const child = await start(['sh', '-c', 'echo out; echo err >&2']);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(output()).toBe('before\nout\nerr\n');
    await (
      await start(['true'], { outputPath: join(dir, 'new.log') })
    ).exited;
    expect(fs.statSync(join(dir, 'new.log')).mode & 0o777).toBe(0o600);
  });

  it('runs in the given folder with exactly the given environment', async () => {
    const child = await start(['/usr/bin/env'], { env: { ONLY: 'this' } });
    await child.exited;
    expect(output()).toBe('ONLY=this\n');
    await (
      await start(['pwd'], { outputPath: join(dir, 'pwd.log') })
    ).exited;
    expect(fs.readFileSync(join(dir, 'pwd.log'), 'utf8').trim()).toBe(fs.realpathSync(dir));
  });

  it('passes arguments on untouched, without a shell', async () => {
    await (
      await start(['printf', '%s|', '$HOME', 'a b', '*'])
    ).exited;
    expect(output()).toBe('$HOME|a b|*|');
  });

  it('feeds standard input and closes it', async () => {
    const text = 'line é\n'.repeat(50_000);
    await (
      await start(['cat'], { stdin: text })
    ).exited;
    expect(output()).toBe(text);
  });

  it('gives an empty standard input when there is nothing to feed', async () => {
    expect(await (await start(['cat'])).exited).toEqual({ code: 0, signal: null });
    expect(output()).toBe('');
  });

  it('does not mind a program that never reads its input', async () => {
    const child = await start(['true'], { stdin: 'x'.repeat(1_000_000) });
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it('reports the exit code and the signal as they are', async () => {
    expect(await (await start(['sh', '-c', 'exit 75'])).exited).toEqual({ code: 75, signal: null });
    const child = await start(['sleep', '1000']);
    child.signal('SIGINT');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGINT' });
  });

  it('says which program is missing', async () => {
    await expect(start(['no-such-program'])).rejects.toThrow(
      'Cannot start no-such-program: no such program on PATH',
    );
  });

  it('says that the folder is missing, not the program', async () => {
    const missing = join(dir, 'gone');
    await expect(start(['true'], { cwd: missing })).rejects.toThrow(`the folder ${missing}`);
  });

  it('rejects when the output cannot be written or there is nothing to run', async () => {
    await expect(start(['true'], { outputPath: join(dir, 'no', 'log') })).rejects.toThrow('ENOENT');
    await expect(start([])).rejects.toThrow('no program');
    fs.symlinkSync(join(dir, 'outside'), join(dir, 'link'));
    await expect(start(['true'], { outputPath: join(dir, 'link') })).rejects.toThrow('ELOOP');
  });

  it('knows the identity of what it started', async () => {
    const child = await start(['sleep', '1000']);
    expect(processes.isAlive(child.identity)).toBe(true);
    expect(processes.identify(child.identity.pid)).toEqual(child.identity);
    child.signal('SIGKILL');
    await child.exited;
    expect(processes.isAlive(child.identity)).toBe(false);
  });

  it('signals grandchildren as well', async () => {
    const child = await start(['sh', '-c', 'sleep 1000 & echo $!; wait']);
    await until(() => output().endsWith('\n'));
    const grandchild = Number(output());
    expect(processes.identify(grandchild)).not.toBeNull();
    child.signal('SIGTERM');
    await child.exited;
    await until(() => processes.identify(grandchild) === null);
  });

  it('ends what the program left running before it reports the exit', async () => {
    const child = await start(['sh', '-c', 'sleep 1000 & echo $!; exit 3']);
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(processes.identify(Number(output()))).toBeNull();
  });

  it('ends even a left-over that ignores SIGTERM', async () => {
    const stubborn = `trap "" TERM; echo ready; while :; do sleep 0.05; done`;
    const child = await start(['sh', '-c', `sh -c '${stubborn}' & echo $!; sleep 1000`]);
    await until(() => output().includes('ready') && /\d+\n/.test(output()));
    const left = Number(/\d+/.exec(output())?.[0]);
    child.signal('SIGTERM');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
    expect(processes.identify(left)).toBeNull();
  });

  it('sends no signal once the program has ended', async () => {
    const child = await start(['true']);
    await child.exited;
    const kill = jest.spyOn(process, 'kill');
    child.signal('SIGKILL');
    expect(kill).not.toHaveBeenCalled();
    kill.mockRestore();
  });

  it('keeps secrets out of the log: of its environment, and by their form', async () => {
    const env = { PATH: process.env['PATH'] ?? '', MY_TOKEN: 'correct-horse' };
    const script =
      'printf "a correct-"; sleep 0.05; echo "horse b"; echo "key AKI""A$(printf 1234ABCD1234ABCD)" >&2';
    await (
      await start(['sh', '-c', script], { env })
    ).exited;
    expect(output()).toBe('a [redacted] b\nkey [redacted]\n');
  });

  it('gives programs a standard output they can open again, and leaves no pipe', async () => {
    await (
      await start(['sh', '-c', 'echo one > /dev/stdout; echo two > /dev/stderr'])
    ).exited;
    expect(output()).toBe('one\ntwo\n');
    expect(fs.readdirSync(dir)).toEqual(['output.log']);
  });

  it('keeps the head and the tail of 200 MB without a line end, in little memory', async () => {
    const flood =
      'head -c 209715200 /dev/zero | tr "\\0" "\\377"; printf "\\342\\202\\254 the end"';
    const before = process.memoryUsage.rss();
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
    await (
      await start(['sh', '-c', flood])
    ).exited;
    clearInterval(watch);
    const kept = fs.readFileSync(join(dir, 'output.log'));
    expect(kept.length).toBeLessThan(8.2 * 1024 * 1024);
    expect(kept.toString('utf8').endsWith('\u20ac the end')).toBe(true);
    expect(kept.toString('latin1')).toMatch(/\n\[2\d{8} bytes are left out here/);
    const rest = ['output.log.rest', 'output.log.rest.old'].map(
      (name) => fs.statSync(join(dir, name)).size,
    );
    for (const size of rest) expect(size).toBeLessThan(8.2 * 1024 * 1024);
    expect(most - before).toBeLessThan(120 * 1024 * 1024);
  }, 120_000);
});

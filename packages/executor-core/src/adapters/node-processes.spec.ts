import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { ProcessIdentity } from '../model/process';
import { nodeProcesses } from './node-processes';

describe('nodeProcesses', () => {
  const processes = nodeProcesses();
  const started: ChildProcess[] = [];

  const startSleep = (program = 'sleep', detached = false): ChildProcess & { pid: number } => {
    const child = spawn(program, ['1000'], { stdio: 'ignore', detached });
    started.push(child);
    if (child.pid === undefined) throw new Error('not started');
    return Object.assign(child, { pid: child.pid });
  };
  const identityOf = (pid: number): ProcessIdentity => {
    const identity = processes.identify(pid);
    if (identity === null) throw new Error(`no process ${pid}`);
    return identity;
  };

  afterEach(async () => {
    for (const child of started.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it('knows this process, always the same', () => {
    const self = processes.self();
    expect(self.pid).toBe(process.pid);
    expect(processes.isAlive(self)).toBe(true);
    expect(nodeProcesses().self()).toEqual(self);
    expect(processes.identify(process.pid)).toEqual(self);
  });

  it('calls a process dead after its end', async () => {
    const child = startSleep();
    const identity = identityOf(child.pid);
    expect(processes.isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processes.isAlive(identity)).toBe(false);
    expect(processes.identify(child.pid)).toBeNull();
  });

  it('is not fooled by a pid that another process has now', () => {
    const child = startSleep('sleep', true);
    const earlier = { ...identityOf(child.pid), startTime: '1' };
    expect(processes.isAlive(earlier)).toBe(false);
    expect(processes.isAlive(identityOf(child.pid))).toBe(true);
  });

  it('calls everything of an earlier boot dead', () => {
    const identity = { ...processes.self(), bootId: 'an-earlier-boot' };
    expect(processes.isAlive(identity)).toBe(false);
  });

  it('counts a process of another host as alive', () => {
    const elsewhere = { ...processes.self(), pid: 2 ** 22 + 1, host: 'elsewhere' };
    expect(processes.isAlive(elsewhere)).toBe(true);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 22 + 1])('knows no process with pid %s', (pid) => {
    expect(processes.identify(pid)).toBeNull();
    const identity = { ...processes.self(), pid };
    expect(processes.isAlive(identity)).toBe(false);
  });

  it('calls a zombie dead', async () => {
    // The shell becomes a `sleep`, which never waits for the child the shell started; the child ends
    // only then, on our word, because a shell would still have reaped it.
    const parent = spawn('sh', ['-c', 'setsid sh -c "read _" <&3 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    started.push(parent);
    const stdout = parent.stdio[1] as Readable;
    const [line] = (await once(stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    while (readFileSync(`/proc/${parent.pid ?? 0}/comm`, 'utf8') !== 'sleep\n') await turn();
    (parent.stdio[3] as Writable).end('\n');
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await turn();
    expect(processes.identify(pid)).toBeNull();
  });

  it('reads the start time behind a name with spaces and parentheses', () => {
    const dir = mkdtempSync(join(tmpdir(), 'processes-'));
    try {
      const program = join(dir, 'a) Z (b 1');
      copyFileSync('/bin/sleep', program);
      chmodSync(program, 0o755);
      const odd = identityOf(startSleep(program).pid);
      expect(odd.startTime).toMatch(/^\d+$/);
      expect(processes.isAlive(odd)).toBe(true);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

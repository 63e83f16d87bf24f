import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MutexTimeout } from '../ports/mutex';
import { compileSources, MODULES } from '../testing/compiled-sources';
import { lockfileMutex } from './lockfile-mutex';
import { nodeProcesses } from './node-processes';

jest.setTimeout(30_000); // real processes on a busy machine

/** A child that does what it is told by message; every answer is one message. */
const CHILD = `
const fs = require('node:fs');
const { lockfileMutex } = require('./adapters/lockfile-mutex.js');
const { nodeProcesses } = require('./adapters/node-processes.js');
const mutex = lockfileMutex(nodeProcesses());
let release = () => {};
const tasks = {
  async count({ path, file, times }) {
    for (let i = 0; i < times; i++) {
      await mutex.with(path, async () => {
        const seen = Number(await fs.promises.readFile(file, 'utf8'));
        await fs.promises.writeFile(file, String(seen + 1));
      });
    }
  },
  hold: ({ path }) => new Promise((held) => {
    void mutex.with(path, () => new Promise((done) => { release = done; held(); }));
  }),
  async release() { release(); },
  // One holder at a time: each creates the sentinel exclusively and removes it.
  async enter({ path, sentinel, times }) {
    const answer = { violations: 0, enteredAt: [] };
    for (let i = 0; i < times; i++) {
      await mutex.with(path, async () => {
        answer.enteredAt.push(Date.now());
        try { fs.writeFileSync(sentinel, '', { flag: 'wx' }); } catch { answer.violations++; }
        await new Promise(setImmediate);
        fs.rmSync(sentinel, { force: true });
      });
    }
    return answer;
  },
};
process.on('message', (message) => {
  tasks[message.task](message).then(
    (answer) => process.send(answer ?? {}),
    (error) => process.send({ error: String(error) }),
  );
});
`;

interface Answer {
  readonly error?: string;
  readonly violations?: number;
  readonly enteredAt?: readonly number[];
}

let compiled: string;
let folder: string;
let path: string;
const children = new Set<ChildProcess>();

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), 'lockfile-child-'));
  compileSources(compiled, ['adapters', 'ports', 'model']);
  writeFileSync(join(compiled, 'child.js'), CHILD);
});
afterAll(() => {
  rmSync(compiled, { recursive: true, force: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockfile-'));
  path = join(folder, 'table');
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  rmSync(folder, { recursive: true, force: true });
});

function start(): ChildProcess {
  const child = fork(join(compiled, 'child.js'), [], {
    env: { ...process.env, NODE_PATH: MODULES },
    execArgv: [],
  });
  children.add(child);
  return child;
}

async function tell(
  child: ChildProcess,
  message: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const answered = once(child, 'message') as Promise<[Answer]>;
  child.send(message);
  const [answer] = await answered;
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe('lockfileMutex in one process', () => {
  it('runs one body at a time, in the order of the calls, and hands on what it returns', async () => {
    const mutex = lockfileMutex(nodeProcesses());
    const order: number[] = [];
    let inside = 0;
    const results = await Promise.all(
      Array.from({ length: 25 }, (_, number) =>
        mutex.with(path, async () => {
          inside += 1;
          expect(inside).toBe(1);
          order.push(number);
          await new Promise(setImmediate);
          inside -= 1;
          return number;
        }),
      ),
    );
    expect(order).toEqual(results);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('excludes callers of another mutex object as well', async () => {
    const first = lockfileMutex(nodeProcesses());
    const second = lockfileMutex(nodeProcesses());
    const nested = first.with(path, () => second.with(path, () => Promise.resolve(), 30));
    await expect(nested).rejects.toThrow(MutexTimeout);
  });

  it('shows who holds the lock while it is held, and leaves no file afterwards', async () => {
    const mutex = lockfileMutex(nodeProcesses());
    await mutex.with(path, () => {
      const record: unknown = JSON.parse(readFileSync(join(`${path}.lock`, 'owner.json'), 'utf8'));
      expect(record).toMatchObject(nodeProcesses().self());
      return Promise.resolve();
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('frees the lock when the body fails, and rejects with its error', async () => {
    const mutex = lockfileMutex(nodeProcesses());
    const failing = mutex.with(path, () => Promise.reject(new Error('inside')));
    await expect(failing).rejects.toThrow('inside');
    await expect(mutex.with(path, () => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('creates the folder of the lock when it is missing', async () => {
    const mutex = lockfileMutex(nodeProcesses());
    const deep = join(folder, 'a', 'b', 'table');
    await expect(mutex.with(deep, () => Promise.resolve('in'))).resolves.toBe('in');
  });

  it('says so when a person removed the lock while it was held', async () => {
    const mutex = lockfileMutex(nodeProcesses());
    const robbed = mutex.with(path, () => {
      rmSync(`${path}.lock`, { recursive: true });
      return Promise.resolve();
    });
    await expect(robbed).rejects.toThrow('was removed while this process held it');
    await expect(mutex.with(path, () => Promise.resolve('next'))).resolves.toBe('next');
  });

  it('takes over neither a living lock that looks a year old nor keeps it from its owner', async () => {
    const mutex = lockfileMutex(nodeProcesses());
    const rival = lockfileMutex(nodeProcesses());
    await mutex.with(path, async () => {
      const longAgo = Date.now() / 1000 - 31_536_000;
      utimesSync(`${path}.lock`, longAgo, longAgo);
      await expect(rival.with(path, () => Promise.resolve(), 50)).rejects.toThrow(MutexTimeout);
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('lockfileMutex between processes', () => {
  it('loses no increment of a counter that 8 processes count up 50 times each', async () => {
    const file = join(folder, 'count');
    writeFileSync(file, '0');
    const counters = Array.from({ length: 8 }, start);
    await Promise.all(
      counters.map((child) => tell(child, { task: 'count', path, file, times: 50 })),
    );
    expect(readFileSync(file, 'utf8')).toBe('400');
    expect(readdirSync(folder)).toEqual(['count']);
  }, 60_000);

  it('has exactly one holder at every moment when 8 contenders meet a killed holder', async () => {
    const sentinel = join(folder, 'sentinel');
    const contenders = Array.from({ length: 8 }, start);
    for (let round = 0; round < 12; round++) {
      const holder = start();
      await tell(holder, { task: 'hold', path });
      const entering = contenders.map((child) =>
        tell(child, { task: 'enter', path, sentinel, times: 5 }),
      );
      const killedAt = Date.now();
      await kill(holder);
      for (const { violations, enteredAt = [] } of await Promise.all(entering)) {
        expect(violations).toBe(0);
        expect(Math.min(...enteredAt)).toBeGreaterThanOrEqual(killedAt);
      }
    }
    expect(readdirSync(folder)).toEqual([]);
  }, 60_000);

  it('passes the lock of a killed holder on within a second', async () => {
    const holder = start();
    await tell(holder, { task: 'hold', path });
    const mutex = lockfileMutex(nodeProcesses());
    const entered = mutex.with(path, () => Promise.resolve(performance.now()));
    await kill(holder);
    const killed = performance.now();
    expect((await entered) - killed).toBeLessThan(1_000);
  });

  it('does not push a stopped but living holder aside', async () => {
    const holder = start();
    await tell(holder, { task: 'hold', path });
    holder.kill('SIGSTOP');
    const mutex = lockfileMutex(nodeProcesses());
    const attempt = mutex.with(path, () => Promise.resolve(), 400);
    await expect(attempt).rejects.toThrow(`process ${holder.pid ?? 0} on`);
    holder.kill('SIGCONT');
    await tell(holder, { task: 'release' });
    await expect(mutex.with(path, () => Promise.resolve('mine'))).resolves.toBe('mine');
  });
});

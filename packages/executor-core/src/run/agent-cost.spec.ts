import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeFileTree } from '../adapters/node-file-tree';
import type { EventOf } from '../model/event';
import { parseRunId, parseTaskId } from '../model/ids';
import { statusJson } from '../report/status-json';
import { viewOf } from '../report/fold';
import { whyWaiting } from '../report/explain';
import { runPaths } from '../store/run-dir';
import { HandClock } from '../testing/hand-clock';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';
import { declareCost, readCost, untoldCosts } from './agent-cost';

jest.setTimeout(60_000);

const tools = { fs: nodeFileSystem(), files: nodeFileTree(), clock: new HandClock() };
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parallel-cost-'));
  file = join(folder, 'cost.jsonl');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('what an agent says its work has cost', () => {
  const env = (): Record<string, string> => ({ PARALLEL_COST_FILE: file });

  it('adds up, each amount by itself', async () => {
    await declareCost({ ...tools, env: env() }, { usd: 0.25, tokens: 1000 });
    await declareCost({ ...tools, env: env() }, { usd: null, tokens: 500 });
    expect(readFileSync(file, 'utf8')).toBe('{"usd":0.25,"tokens":1000}\n{"tokens":500}\n');
    expect(await readCost(tools, file)).toEqual({ usd: 0.25, tokens: 1500 });
  });

  it.each([
    { usd: -1, tokens: null },
    { usd: Infinity, tokens: null },
    { usd: null, tokens: 1.5 },
  ])('is refused when it is no amount: %j', async (cost) => {
    await expect(declareCost({ ...tools, env: env() }, cost)).rejects.toThrow('no cost');
    expect(await readCost(tools, file)).toBeNull();
  });

  it('is for agents only', async () => {
    const told = declareCost({ ...tools, env: {} }, { usd: 1, tokens: null });
    await expect(told).rejects.toMatchObject({ name: 'UserError', kind: 'usage' });
  });

  it('is read past lines that are none', async () => {
    writeFileSync(file, 'half a li\n{"usd":"1"}\n[]\nnull\n{"tokens":-3,"usd":0.5}\n{"tokens":7}');
    expect(await readCost(tools, file)).toEqual({ usd: 0.5, tokens: 7 });
  });

  it('is not read through a link, and not when it is large', async () => {
    writeFileSync(join(folder, 'elsewhere'), '{"usd":1}\n');
    symlinkSync(join(folder, 'elsewhere'), file);
    expect(await readCost(tools, file)).toBeNull();
    rmSync(file);
    writeFileSync(file, '{"usd":1}\n'.repeat(200_000));
    expect(await readCost(tools, file)).toBeNull();
  });
});

it('what a killed process did not tell is told later, once, with what was told before', async () => {
  const paths = runPaths(folder, parseRunId('PEXEC-1'));
  const [a, b] = [parseTaskId('a'), parseTaskId('b')];
  for (const task of [a, b]) {
    const { dir, costFile } = paths.task(task).attempt(2);
    await tools.fs.makeDir(dir);
    writeFileSync(costFile, '{"tokens":30}\n');
  }
  const told = (task: typeof a, attempt: number): EventOf<'task:cost'> => {
    return { type: 'task:cost', task, attempt, cost: { usd: null, tokens: 10 }, at: 0 };
  };
  const events = [told(a, 1), told(b, 1), told(b, 2)];
  const ended = [a, b].map((task) => ({ task, attempt: 2 }));
  const { facts, totals } = await untoldCosts(tools, paths, events, ended);
  expect(facts).toEqual([{ ...told(a, 2), cost: { usd: null, tokens: 30 } }]);
  expect([...totals].map(([task, { tokens }]) => [task, tokens])).toEqual([
    ['a', 40],
    ['b', 20],
  ]);
});

describe('a run', () => {
  let rig: RunRig;
  beforeEach(async () => {
    rig = await makeRunRig();
  });
  afterEach(async () => {
    await rig.done();
  });

  const say = `echo '{"usd":0.1,"tokens":100}' >> "$PARALLEL_COST_FILE"`;
  const draft = (command: string) => ({
    agents: [{ command }],
    settings: { retry: { maxRetries: 1, backoff: 'none' as const, baseMs: 0, maxMs: 0 } },
    tasks: [{ id: 'a', writes: ['a.txt'] }],
  });

  it('tells the cost of all attempts in the landed commit, the result and the status', async () => {
    const plan = draft(`${say}; [ $PARALLEL_ATTEMPT = 2 ] && echo x > a.txt`);
    const { result, events } = await rig.run(plan);
    expect(result.cost).toEqual({ usd: 0.2, tokens: 200 });
    expect(await rig.git('log', '-1', '--format=%(trailers:key=Parallel-Cost)')).toContain(
      'Parallel-Cost: 0.2 USD, 200 tokens',
    );
    const view = viewOf(planOf(plan), events);
    expect(view.tasks.get(parseTaskId('a'))?.attempts).toMatchObject([{ cost: { tokens: 100 } }]);
    expect(statusJson(view, 0).tasks).toMatchObject([{ cost: { usd: 0.2, tokens: 200 } }]);
    expect(whyWaiting(planOf(plan), view, parseTaskId('a'))).toContain(
      'It cost 0.2 USD, 200 tokens.',
    );
  });

  it('says nothing of a cost that nobody told', async () => {
    const { result } = await rig.run(draft('echo x > a.txt'));
    expect(result.cost).toEqual({ usd: null, tokens: null });
    expect(await rig.git('log', '-1', '--format=%B')).not.toContain('Parallel-Cost');
  });
});

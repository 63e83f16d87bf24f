import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import { parseRunId } from '../model/ids';
import type { Failure } from '../model/failure';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';
import { runPaths } from '../store/run-dir';
import { openEngine } from './engine';
import { poolOf } from './assemble';
import type { Verifier } from './verifier';
import { checksOf, createVerifier, NX_CHECKS } from './verifier';

/** Real git and real commands on a busy machine. */
jest.setTimeout(60_000);

let rig: RunRig;
let log: string;
beforeEach(async () => {
  rig = await makeRunRig({ 'package.json': '{}\n', 'a.txt': 'one\n' });
  log = join(rig.root, '.git', 'log');
});
afterEach(() => rig.done());

const lines = (): string[] => readFileSync(log, 'utf8').trim().split('\n');

async function withVerifier(
  checks: readonly string[],
  body: (check: (files: Record<string, string>) => Promise<Failure | null>) => Promise<void>,
): Promise<void> {
  const engine = await openEngine(nodeToolbox(), rig.root, 30_000);
  const plan = planOf({
    agents: [{ command: 'true' }],
    tasks: ['a'],
    settings: { setup: { copy: [], link: [], run: [`echo installed >> "${log}"`] } },
  });
  const run = parseRunId('PEXEC-1');
  mkdirSync(runPaths(rig.root, run).dir, { recursive: true });
  const pool = poolOf(engine, run, plan);
  const verifier = createVerifier({ engine, run, plan, checks, pool, graceMs: 100 }) as Verifier;
  const base = await rig.git('rev-parse', 'HEAD');
  try {
    await body(async (files) => {
      const commit = await rig.repository.commit(files, 'change');
      return verifier.check(commit, await rig.git('rev-parse', `${commit}^{tree}`), base);
    });
  } finally {
    await verifier.close();
    await pool.close();
    await engine.leases.close();
  }
}

describe('a worktree that trees are checked in', () => {
  it('is set up once, and again when a manifest has changed since', async () => {
    await withVerifier([`cat a.txt >> "${log}"`], async (check) => {
      expect(await check({ 'a.txt': 'two\n' })).toBeNull();
      expect(await check({ 'a.txt': 'three\n' })).toBeNull();
      expect(await check({ 'package.json': '{ "name": "x" }\n' })).toBeNull();
      expect(await check({ 'libs/x/package.json': '{}\n', 'a.txt': 'four\n' })).toBeNull();
    });
    expect(lines()).toEqual([
      'installed',
      'two',
      'three',
      'installed',
      'three',
      'installed',
      'four',
    ]);
  });

  it('is not asked again about a tree whose verdict is known', async () => {
    await withVerifier([`cat a.txt >> "${log}"; test "$(cat a.txt)" = good`], async (check) => {
      expect(await check({ 'a.txt': 'bad\n' })).toMatchObject({ kind: 'verify-failed' });
      expect(await check({ 'a.txt': 'good\n' })).toBeNull();
      expect(await check({ 'a.txt': 'bad\n' })).toMatchObject({ kind: 'verify-failed' });
    });
    expect(lines()).toEqual(['installed', 'bad', 'good']);
  });
});

describe('the checks of a plan', () => {
  const checks = async (settings: Parameters<typeof planOf>[0]['settings']): Promise<unknown> => {
    const engine = await openEngine(nodeToolbox(), rig.root, 30_000);
    return checksOf(engine, planOf({ agents: [], tasks: [], settings }));
  };
  const link = { copy: [], link: ['node_modules'], run: [] };

  it('are those of Nx where it says nothing and worktrees get their Nx', async () => {
    const byDefault = { verifyByDefault: true, setup: link } as const;
    expect(await checks(byDefault)).toEqual([]);
    await rig.repository.write({ 'nx.json': '{}', 'node_modules/.bin/nx': '' });
    expect(await checks(byDefault)).toEqual(NX_CHECKS);
    expect(await checks({ setup: link })).toEqual([]);
    expect(await checks({ verifyByDefault: true })).toEqual([]);
    expect(await checks({ ...byDefault, verify: ['npm test'] })).toEqual(['npm test']);
  });
});

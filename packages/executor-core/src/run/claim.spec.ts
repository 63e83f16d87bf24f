import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import { TakenOver } from '../merge/land';
import { parseRunId } from '../model/ids';
import type { Journal } from '../ports/journal';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import type { Claim } from './claim';
import { claimedJournal, claimWorkspace, raiseClaim } from './claim';
import type { Engine } from './engine';
import { openEngine } from './engine';

jest.setTimeout(30_000);

describe('the claim on a checkout', () => {
  const RUN = parseRunId('PEXEC-1');
  const LATER = parseRunId('PEXEC-2');
  let repository: TestRepository;
  let engine: Engine;
  beforeEach(async () => {
    repository = await makeRepository();
    engine = await openEngine(nodeToolbox(), repository.root, 30_000);
  });
  afterEach(async () => {
    await engine.leases.close();
    await repository.cleanup();
  });

  const claim = async (run = RUN): Promise<Claim> =>
    raiseClaim(engine, await claimWorkspace(engine, run, 'cli'), run, 'cli');
  const fences = (): Promise<string> => repository.git(['for-each-ref', 'refs/parallel/fence/']);

  it('holds until its fence is taken away, and leaves nothing then', async () => {
    const held = await claim();
    await held.check();
    expect(await held.holder()).toBe(RUN);
    await held.release();
    await held.check();
    await held.removeFence();
    expect(await fences()).toBe('');
    expect(await held.holder()).toBeNull();
    await expect(held.check()).rejects.toThrow(TakenOver);
  });

  it('holds while nobody moved the fence, even when its lease is not there to be seen', async () => {
    const token = await claimWorkspace(engine, RUN, 'cli');
    const held = await raiseClaim(engine, token, RUN, 'cli');
    await engine.leases.release(token);
    await held.check();
    const next = await claim(LATER);
    await expect(held.check()).rejects.toThrow(TakenOver);
    await held.removeFence();
    expect(await next.holder()).toBe(LATER);
    await next.check();
  });

  it('keeps its former holder out of the journal', async () => {
    const told: number[] = [];
    const journal = {
      append: (events: readonly unknown[]) => Promise.resolve(void told.push(events.length)),
    } as unknown as Journal;
    const held = await claim();
    await claimedJournal(journal, held).append([]);
    await held.release();
    await claim(LATER);
    await expect(claimedJournal(journal, held).append([])).rejects.toThrow(TakenOver);
    expect(told).toEqual([0]);
  });

  it('has a lock for landings that no former holder can keep', async () => {
    const first = await claim();
    mkdirSync(`${first.mergeLock}.lock`, { recursive: true });
    await engine.leases.release(await tokenHeld());
    const next = await claim(LATER);
    expect(next.mergeLock).not.toBe(first.mergeLock);
    const locks = readdirSync(join(repository.root, '.parallel/locks'));
    expect(locks.filter((name) => name.startsWith('merge-'))).toEqual([]);
    await next.release();
  });

  it('clears away the lock that a killed git left on the branch of an earlier run', async () => {
    const folder = join(repository.root, '.git/refs/parallel', RUN);
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(repository.root, '.parallel/runs', RUN), { recursive: true });
    writeFileSync(join(folder, '_integration.lock'), '');
    await (await claim(LATER)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  const tokenHeld = async (): Promise<number> => {
    const [lease] = (await engine.leases.list()).leases;
    if (lease === undefined) throw new Error('Nobody holds the checkout.');
    return lease.token;
  };
});

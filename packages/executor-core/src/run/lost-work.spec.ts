import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { Release } from '../isolate/worktree-safety';
import type { RunEvent } from '../model/event';
import { parseRunId, parseTaskId } from '../model/ids';
import { makeRepository, type TestRepository } from '../testing/git-repository';
import type { Engine } from './engine';
import { openEngine } from './engine';
import { dropCheckpoint, lostWork } from './lost-work';

jest.setTimeout(30_000);

const RUN = parseRunId('PEXEC-1');
const TASK = parseTaskId('a');
const FOLDER = `refs/parallel/${RUN}/a`;
const LOST = { task: TASK, attempt: 2, token: 7 };
const WORKTREE = '/w/agent-1';

let repository: TestRepository;
let engine: Engine;
beforeEach(async () => {
  repository = await makeRepository();
  engine = await openEngine(nodeToolbox(), repository.root, 1000);
});
afterEach(async () => {
  await engine.leases.close();
  await repository.cleanup();
});

const started = (attempt: number, resumedFrom?: string): RunEvent => ({
  type: 'task:started',
  task: TASK,
  attempt,
  slot: 1,
  base: 'b'.repeat(40),
  branch: 'agent-1-a',
  worktree: WORKTREE,
  profile: 'shell',
  ...(resumedFrom === undefined ? {} : { resumedFrom }),
  at: 0,
});
const failed = (attempt: number, salvage: string | null): RunEvent => {
  const failure = { kind: 'interrupted', message: 'gone' } as const;
  return { type: 'attempt:failed', task: TASK, attempt, failure, salvage, at: 0 };
};
const worked = (attempt: number): RunEvent => {
  const process_ = engine.tools.processes.self();
  return { type: 'process:started', task: TASK, attempt, process: process_, at: 0 };
};
const swept = (release: Release) => [{ path: WORKTREE, release }];
const removed = (saved: string | null) => swept({ kind: 'removed', saved });
const find = (events: readonly RunEvent[], released = swept({ kind: 'gone' })) =>
  lostWork(engine, RUN, LOST, events, { released, warm: [] });
/** Keeps a commit of its own under `name`, made at `second`. */
async function keep(name: string, second = 0): Promise<void> {
  await writeFile(join(repository.root, 'x.txt'), name);
  await repository.git(['add', '--all']);
  const tree = await repository.git(['write-tree']);
  const text = `tree ${tree}\nauthor t <t> ${1000 + second} +0000\ncommitter t <t> ${1000 + second} +0000\n\n${name}\n`;
  await writeFile(join(repository.root, '.git/text'), text);
  const commit = await repository.git(['hash-object', '-t', 'commit', '-w', '.git/text']);
  await repository.git(['update-ref', `${FOLDER}/${name}`, commit]);
}

describe('what a lost attempt had written', () => {
  it('is what the sweep has saved of its worktree', async () => {
    await keep('wip-2');
    expect(await find([started(2)], removed(`${FOLDER}/salvage-9`))).toBe(`${FOLDER}/salvage-9`);
  });

  it('is its last checkpoint when the worktree is gone or could not be saved', async () => {
    await keep('wip-1', 5);
    await keep('wip-2');
    expect(await find([started(2)])).toBe(`${FOLDER}/wip-2`);
    const kept = swept({ kind: 'kept', path: '/w/.kept/agent-1', reason: 'unreadable' });
    expect(await find([started(2)], kept)).toBe(`${FOLDER}/wip-2`);
  });

  it('is nothing when the worktree was found as it had been made', async () => {
    await keep('wip-2');
    expect(await find([started(2)], removed(null))).toBeNull();
  });

  it('is the newest candidate of its own lease, whose files the worktree had', async () => {
    await keep('6', 9);
    await keep('7', 1);
    await keep('7-2', 2);
    await keep('77', 9);
    expect(await find([started(2)], removed(null))).toBe(`${FOLDER}/7-2`);
  });

  it('is what a recovery that died, too, had saved and not told', async () => {
    await keep('salvage-1', 9);
    await keep('salvage-2', 2);
    await keep('wip-2', 1);
    const events = [started(1), failed(1, `${FOLDER}/salvage-1`), started(2)];
    expect(await find(events, [])).toBe(`${FOLDER}/salvage-2`);
  });

  it('is nothing when nobody had started', async () => {
    await keep('salvage-1');
    expect(await find([started(1), failed(1, null)], removed(`${FOLDER}/salvage-1`))).toBeNull();
  });

  it('is the whole of the earlier work while that was being put into its worktree', async () => {
    const before = [started(1), failed(1, `${FOLDER}/salvage-1`), started(2, 'c'.repeat(40))];
    const half = removed(`${FOLDER}/salvage-half`);
    expect(await find(before, half)).toBe(`${FOLDER}/salvage-1`);
    expect(await find([...before, worked(1)], half)).toBe(`${FOLDER}/salvage-1`);
    expect(await find([...before, worked(2)], half)).toBe(`${FOLDER}/salvage-half`);
  });
});

describe('the checkpoint of a lost attempt', () => {
  it('is dropped, and only that one', async () => {
    await keep('wip-1');
    await keep('wip-2');
    await dropCheckpoint(engine, RUN, TASK, 2);
    await dropCheckpoint(engine, RUN, TASK, 3);
    expect(await repository.git(['for-each-ref', '--format=%(refname)', FOLDER])).toBe(
      `${FOLDER}/wip-1`,
    );
  });
});

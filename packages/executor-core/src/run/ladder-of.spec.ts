import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeClock } from '../adapters/node-clock';
import { nodeFileSystem } from '../adapters/node-file-system';
import { nodeProcessRunner } from '../adapters/node-process-runner';
import { nodeProcesses } from '../adapters/node-processes';
import type { Snapshot } from '../testing/conflict-rig';
import { file, json, makeConflictRig } from '../testing/conflict-rig';
import type { ConflictRig } from '../testing/conflict-rig';
import { entityMerge } from './entity-merge';
import type { LadderTools } from './ladder-tools';
import { recallResolution } from './recall-resolution';
import { regenerateLockfile } from './regenerate-lockfile';

/** Real programs on a busy machine. */
jest.setTimeout(120_000);

describe('the helpers of the conflict ladder', () => {
  let rig: ConflictRig;
  let tools: LadderTools;
  let programs: string;
  let temporary: string;
  let outside: string | undefined;

  beforeAll(async () => {
    outside = process.env['TMPDIR'];
    rig = await makeConflictRig();
    temporary = await mkdtemp(join(tmpdir(), 'parallel-temporary-'));
    process.env['TMPDIR'] = temporary;
    programs = await mkdtemp(join(tmpdir(), 'programs-'));
    const { root } = rig.repo;
    tools = {
      ...{
        git: rig.git,
        fs: nodeFileSystem(),
        runner: nodeProcessRunner(nodeProcesses()),
        clock: nodeClock(),
      },
      env: { ...process.env, PATH: `${programs}:${process.env['PATH'] ?? ''}` },
      root,
      commonDir: join(root, '.git'),
    };
  });
  afterAll(async () => {
    await rm(programs, { recursive: true });
    const left = await readdir(temporary);
    if (outside === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outside;
    await rm(temporary, { recursive: true });
    await rig.cleanup();
    expect(left).toEqual([]);
  });

  it('gives again what a person resolved before, and notes nothing in their cache', async () => {
    const { root } = rig.repo;
    const git = (args: readonly string[]) => rig.repo.git(args);
    const conflict = file('a.txt', 'x\n', 'A\n', 'B\n');
    const { ours, theirs } = await rig.commits(conflict);
    const recall = recallResolution(tools);
    expect(await rig.resolve(conflict, 'manual', { recall })).toMatchObject({ next: 'person' });
    await git(['config', 'rerere.enabled', 'true']);
    await git(['checkout', '--quiet', '--detach', ours]);
    await git(['merge', '--quiet', theirs]).catch(() => '');
    await rig.repo.write({ 'a.txt': 'A and B\n' });
    await git(['commit', '--quiet', '--all', '--message', 'resolved']);
    const other = {
      base: { 'b/c.txt': 'x\n' },
      ours: { 'b/c.txt': 'A\n' },
      theirs: { 'b/c.txt': 'B\n' },
    };
    const before = await readdir(join(root, '.git', 'rr-cache'));
    const answer = await rig.resolve(other, 'manual', { recall });
    expect(answer).toMatchObject({ resolved: [{ path: 'b/c.txt', rung: 'rerere' }] });
    expect(answer.kind === 'merged' && (await rig.show(answer.tree, 'b/c.txt'))).toBe('A and B\n');
    const unknown = file('a.txt', 'x\n', 'A\n', 'C\n');
    expect(await rig.resolve(unknown, 'manual', { recall })).toMatchObject({ next: 'person' });
    expect(await readdir(join(root, '.git', 'rr-cache'))).toEqual(before);
    await git(['config', 'rerere.enabled', 'false']);
    expect(await rig.resolve(other, 'manual', { recall })).toMatchObject({ next: 'person' });
  });

  it('merges by functions with a tool on PATH, unless it would lose what the target gained', async () => {
    const conflict = file('a.ts', 'a();\n', 'a();\nb();\n', 'a();\nc();\n');
    const program = join(programs, 'mergiraf');
    const entity = () => entityMerge(tools);
    expect(await rig.resolve(conflict, 'wait', { entity: entity() })).toMatchObject({
      next: 'rerun',
    });
    await writeFile(
      program,
      '#!/bin/sh\n[ "$1" = --version ] && exit\n(cat "$3"; tail -n 1 "$4") > "$6"\n',
    );
    await chmod(program, 0o755);
    const answer = await rig.resolve(conflict, 'wait', { entity: entity() });
    expect(answer).toMatchObject({ resolved: [{ rung: 'entity' }] });
    expect(answer.kind === 'merged' && (await rig.show(answer.tree, 'a.ts'))).toBe(
      'a();\nb();\nc();\n',
    );
    await writeFile(program, '#!/bin/sh\n[ "$1" = --version ] && exit\ncat "$4" > "$6"\n');
    expect(await rig.resolve(conflict, 'wait', { entity: entity() })).toMatchObject({
      next: 'rerun',
    });
  });

  it('makes package-lock.json anew from the merged manifests', async () => {
    const own = (name: string, deps: object = {}) =>
      json({ name, version: '1.0.0', dependencies: deps });
    const top = { name: 'top', version: '1.0.0', workspaces: ['p/*'] };
    const base: Snapshot = {
      'package.json': json(top),
      'p/a/package.json': own('a'),
      'p/b/package.json': own('b'),
    };
    const ours = { 'p/a/package.json': own('a', { b: '1.0.0' }) };
    const theirs = { 'p/c/package.json': own('c', { a: '1.0.0' }) };
    const withLock = async (files: Snapshot): Promise<Snapshot> => ({
      ...files,
      'package-lock.json': await lockOf(rig, files),
    });
    const conflict = {
      base: await withLock(base),
      ours: {
        ...ours,
        ...(await withLock({ ...base, ...ours })),
        'package.json': json({ ...top, a: 1 }),
      },
      theirs: {
        ...theirs,
        ...(await withLock({ ...base, ...theirs })),
        'package.json': json({ ...top, b: 2 }),
      },
    };
    // Both sides say something else of one place in the lockfile.
    const clash = (side: Snapshot, word: string): Snapshot => ({
      ...side,
      'package-lock.json': JSON.stringify(
        JSON.parse(side['package-lock.json'] as string),
        null,
        2,
      ).replace('"name": "top"', `"name": "${word}"`),
    });
    const merge = {
      ...conflict,
      ours: clash(conflict.ours, 'x'),
      theirs: clash(conflict.theirs, 'y'),
    };
    const regenerate = regenerateLockfile(tools);
    expect(await rig.resolve(merge, 'wait')).toMatchObject({ next: 'rerun' });
    const answer = await rig.resolve(merge, 'wait', { regenerate });
    expect(answer).toMatchObject({
      resolved: [{ path: 'package.json' }, { path: 'package-lock.json', rung: 'structural' }],
    });
    const lock = answer.kind === 'merged' ? await rig.show(answer.tree, 'package-lock.json') : '';
    const { packages } = JSON.parse(lock ?? '') as { packages: Record<string, unknown> };
    expect(packages['p/a']).toMatchObject({ dependencies: { b: '1.0.0' } });
    expect(packages['p/c']).toMatchObject({ dependencies: { a: '1.0.0' } });
  });

  it('leaves a lockfile alone whose package manager is not here', async () => {
    const lockfile = file('pnpm-lock.yaml', 'a: 1\n', 'a: 2\n', 'a: 3\n');
    const env = { ...process.env, PATH: programs };
    const regenerate = regenerateLockfile({ ...tools, env });
    expect(await rig.resolve(lockfile, 'wait', { regenerate })).toMatchObject({ next: 'rerun' });
    expect(await rig.resolve(lockfile, 'theirs-if-newer')).toMatchObject({ next: 'rerun' });
  });
});

/** What npm writes for some manifests. */
async function lockOf({ repo }: ConflictRig, files: Snapshot): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parallel-manifests-'));
  await repo.write(files as Readonly<Record<string, string>>, folder);
  const args = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'];
  await promisify(execFile)('npm', args, { cwd: folder });
  const lock = await readFile(join(folder, 'package-lock.json'), 'utf8');
  await rm(folder, { recursive: true });
  return lock;
}

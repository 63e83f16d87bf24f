import * as nodeFs from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate } from '../model/event';
import { parseRunId, parseTaskId } from '../model/ids';
import type { MergeRig } from '../testing/merge-rig';
import { makeMergeRig } from '../testing/merge-rig';
import type { CandidateResult } from './candidate';
import { candidateFromPatch, candidatePatch } from './candidate-patch';

/** Real git on a busy machine. */
jest.setTimeout(30_000);

const LINES = Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join('');
const LATIN1 = Buffer.from('caf\xe9 \xff\n', 'latin1');

describe('a candidate stored as a patch', () => {
  let rig: MergeRig;
  let base: string;
  let worktree: string;

  beforeEach(async () => {
    rig = await makeMergeRig({
      'text.txt': LINES,
      'windows.txt': 'a\r\nb\r\n',
      'latin1.txt': 'x\n',
      'run.sh': '#!/bin/sh\n',
      'file-to-link': 'x\n',
      'dir/file.txt': 'x\n',
      'image.bin': '\u0000old\u0000',
    });
    base = await rig.tip();
    worktree = await rig.addWorktree('agent-1-task');
  });
  afterEach(() => rig.cleanup());

  const at = (path: string): string => join(worktree, path);
  const collect = async (): Promise<Candidate> => {
    const made = await rig.collect('task', worktree, base);
    if ('failure' in made) throw new Error(JSON.stringify(made.failure));
    return made.candidate;
  };
  const store = (candidate: Candidate): Promise<Buffer> =>
    candidatePatch(rig.git, rig.root, candidate);
  const restore = (patch: Buffer, onto: string): Promise<CandidateResult> =>
    candidateFromPatch({
      ...{ git: rig.git, fs: rig.fs, root: rig.root, onto, patch },
      run: parseRunId('PEXEC-2'),
      task: parseTaskId('task'),
      fence: 3,
      message: 'task: land\n',
    });
  const restored = async (patch: Buffer, onto: string): Promise<Candidate> => {
    const result = await restore(patch, onto);
    if ('failure' in result) throw new Error(JSON.stringify(result.failure));
    return result.candidate;
  };
  /** Every kind of change a patch must carry. */
  const changeEverything = async (): Promise<void> => {
    await nodeFs.writeFile(at('text.txt'), LINES.replace('line 20\n', 'line twenty'));
    await nodeFs.writeFile(at('windows.txt'), 'a\r\nc\r\n');
    await nodeFs.writeFile(at('latin1.txt'), LATIN1);
    await nodeFs.writeFile(at('image.bin'), Buffer.from([0, 1, 2, 255, 10, 13, 128]));
    await nodeFs.writeFile(at('trailing.txt'), 'space \t\n\n\n');
    await nodeFs.writeFile(at('empty.txt'), '');
    await nodeFs.writeFile(at('ü "q"\t\\.txt'), 'name\n');
    await nodeFs.chmod(at('run.sh'), 0o755);
    await nodeFs.rm(at('file-to-link'));
    await nodeFs.symlink('text.txt', at('file-to-link'));
    await nodeFs.rm(at('dir'), { recursive: true });
    await nodeFs.writeFile(at('dir'), 'now a file\n');
  };

  it('gives the identical tree back on the same base, byte for byte', async () => {
    await changeEverything();
    const candidate = await collect();
    const patch = await store(candidate);
    expect(patch.includes(LATIN1.subarray(0, 4))).toBe(true);
    await rig.repo.git(['update-ref', '-d', candidate.ref]);
    const again = await restored(patch, base);
    expect(again).toMatchObject({ tree: candidate.tree, base, noop: false, fence: 3 });
    expect(again.ref).toBe('refs/parallel/PEXEC-2/task/3');
    expect(again.files).toEqual(candidate.files);
    expect(await rig.repo.git(['rev-parse', `${again.commit}^`])).toBe(base);
  });

  it('is the same patch whatever the user configured', async () => {
    await changeEverything();
    const candidate = await collect();
    const patch = await store(candidate);
    for (const [name, value] of [
      ['diff.noprefix', 'true'],
      ['diff.renames', 'copies'],
      ['diff.external', 'false'],
      ['diff.context', '0'],
      ['diff.suppressBlankEmpty', 'true'],
      ['color.ui', 'always'],
      ['apply.whitespace', 'fix'],
      ['core.quotePath', 'false'],
    ] as const) {
      await rig.repo.git(['config', name, value]);
    }
    expect((await store(candidate)).equals(patch)).toBe(true);
    expect((await restored(patch, base)).tree).toBe(candidate.tree);
  });

  it('keeps what others changed when it is applied to a later base', async () => {
    await nodeFs.writeFile(at('text.txt'), LINES.replace('line 20', 'line twenty'));
    const patch = await store(await collect());
    const onto = await rig.repo.commit({ 'text.txt': `new first\n${LINES}`, 'o.txt': 'o\n' }, 'on');
    const { commit } = await restored(patch, onto);
    const text = await rig.repo.git(['show', `${commit}:text.txt`]);
    expect(text).toBe(`new first\n${LINES.replace('line 20', 'line twenty')}`.trimEnd());
    expect(await rig.repo.git(['show', `${commit}:o.txt`])).toBe('o');
  });

  it('merges three ways where the surroundings have changed', async () => {
    await nodeFs.writeFile(at('text.txt'), LINES.replace('line 20', 'line twenty'));
    const patch = await store(await collect());
    const onto = await rig.repo.commit({ 'text.txt': LINES.replace('line 22', 'other') }, 'on');
    const { commit } = await restored(patch, onto);
    const text = await rig.repo.git(['show', `${commit}:text.txt`]);
    expect(text).toContain('line twenty\nline 21\nother');
  });

  it('names the paths where it does not fit', async () => {
    await nodeFs.writeFile(at('text.txt'), LINES.replace('line 20', 'line twenty'));
    await nodeFs.writeFile(at('fine.txt'), 'fine\n');
    const patch = await store(await collect());
    const onto = await rig.repo.commit({ 'text.txt': LINES.replace('line 20', 'other') }, 'on');
    expect(await restore(patch, onto)).toEqual({
      failure: { kind: 'conflict', paths: ['text.txt'], onto },
    });
  });

  it('names all its paths where git cannot say more', async () => {
    await nodeFs.writeFile(at('image.bin'), Buffer.from([0, 1, 2]));
    const patch = await store(await collect());
    const garbled = Buffer.from(
      patch.toString('latin1').replace(/index [0-9a-f]{40}/, `index ${'1'.repeat(40)}`),
    );
    const result = await restore(garbled, base);
    expect(result).toEqual({ failure: { kind: 'conflict', paths: ['image.bin'], onto: base } });
  });

  it('is empty for a noop, and a noop again', async () => {
    const patch = await store(await collect());
    expect(patch).toHaveLength(0);
    expect(await restored(patch, base)).toMatchObject({ noop: true, commit: base });
  });

  it("touches neither the user's files nor the user's index", async () => {
    await changeEverything();
    const patch = await store(await collect());
    const index = await nodeFs.readFile(join(rig.root, '.git/index'));
    await restored(patch, base);
    expect(await nodeFs.readFile(join(rig.root, '.git/index'))).toEqual(index);
    expect(await rig.repo.git(['status', '--porcelain'])).toBe('');
    expect((await nodeFs.readdir(join(rig.root, '.git'))).join()).not.toContain('parallel');
  });
});

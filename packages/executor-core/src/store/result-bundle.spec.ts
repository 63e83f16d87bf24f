import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { parseTaskId } from '../model/ids';
import type { FileSystem } from '../ports/file-system';
import { readBundle, writeBundle } from './result-bundle';
import type { Bundle } from './result-bundle';

const task = parseTaskId('landing');
const bundle: Bundle = {
  task,
  key: 'k1',
  base: 'a'.repeat(40),
  commit: 'b'.repeat(40),
  tree: 'c'.repeat(40),
  noop: false,
  files: ['src/a.ts', 'src/b.ts'],
  fileCount: 2,
  message: 'Add the landing page\n\nIt lands.',
  patch: Buffer.from([0, 1, 2, 0xff, 0xfe, 0x0a, 0x0d]),
};

describe('a result bundle', () => {
  const files = nodeFileSystem();
  let outDir: string;
  const resultFile = (): string => join(outDir, task, 'result.json');
  const edit = (change: (result: Record<string, unknown>) => void): void => {
    const result = JSON.parse(fs.readFileSync(resultFile(), 'utf8')) as Record<string, unknown>;
    change(result);
    fs.writeFileSync(resultFile(), JSON.stringify(result));
  };

  beforeEach(() => {
    outDir = fs.mkdtempSync(join(tmpdir(), 'bundle-'));
  });
  afterEach(() => {
    fs.rmSync(outDir, { recursive: true, force: true });
  });

  it('reads back as it was written, binary patch and all', async () => {
    expect(await writeBundle(files, outDir, bundle)).toBe(join(outDir, 'landing'));
    expect(await readBundle(files, outDir, task)).toEqual({ bundle, reason: null });
    expect(fs.readdirSync(join(outDir, 'landing')).sort()).toEqual([
      'changes.patch',
      'result.json',
    ]);
  });

  it('carries a no-op without commit, tree and patch', async () => {
    const { key, base, message } = bundle;
    const patch = Buffer.alloc(0);
    const noop = { task, key, base, noop: true, files: [], fileCount: 0, message, patch };
    await writeBundle(files, outDir, noop);
    expect((await readBundle(files, outDir, task)).bundle).toEqual(noop);
    expect(fs.readFileSync(resultFile(), 'utf8')).not.toContain('commit');
  });

  it('has the documented keys', async () => {
    await writeBundle(files, outDir, bundle);
    expect(JSON.parse(fs.readFileSync(resultFile(), 'utf8'))).toEqual({
      schemaVersion: 1,
      task: 'landing',
      key: 'k1',
      base: bundle.base,
      commit: bundle.commit,
      tree: bundle.tree,
      noop: false,
      files: ['src/a.ts', 'src/b.ts'],
      fileCount: 2,
      message: bundle.message,
      patchSha256: createHash('sha256').update(bundle.patch).digest('hex'),
    });
  });

  it('is the same bytes for the same work, in whatever order its files were found', async () => {
    await writeBundle(files, outDir, bundle);
    const first = fs.readFileSync(resultFile());
    const shuffled = Object.fromEntries(Object.entries(bundle).reverse()) as unknown as Bundle;
    await writeBundle(files, outDir, { ...shuffled, files: ['src/b.ts', 'src/a.ts'] });
    expect(fs.readFileSync(resultFile()).equals(first)).toBe(true);
  });

  it('is told to be missing when it is', async () => {
    expect(await readBundle(files, outDir, task)).toEqual({
      bundle: null,
      reason: 'there is no result bundle',
    });
  });

  it('is refused when its patch was changed, cut or lost', async () => {
    const patchFile = join(outDir, task, 'changes.patch');
    for (const damage of [
      () => {
        fs.appendFileSync(patchFile, 'x');
      },
      () => {
        fs.truncateSync(patchFile, 3);
      },
      () => {
        fs.rmSync(patchFile);
      },
    ]) {
      await writeBundle(files, outDir, bundle);
      damage();
      const { bundle: read, reason } = await readBundle(files, outDir, task);
      expect([read, reason]).toEqual([null, 'changes.patch is not the one result.json names']);
    }
  });

  it.each<[string, (result: Record<string, unknown>) => void]>([
    ['a later version', (result) => (result['schemaVersion'] = 2)],
    ['an option where a commit belongs', (result) => (result['base'] = '--output=/tmp/x')],
    ['a path that leaves the repository', (result) => (result['files'] = ['../../.bashrc'])],
    ['an absolute path', (result) => (result['files'] = ['/etc/passwd'])],
    ['a missing key', (result) => delete result['message']],
  ])('is refused with %s', async (_, change) => {
    await writeBundle(files, outDir, bundle);
    edit(change);
    expect((await readBundle(files, outDir, task)).reason).toContain('result.json is damaged');
  });

  it('is refused when it belongs to another task, or is no JSON', async () => {
    await writeBundle(files, outDir, bundle);
    edit((result) => (result['task'] = 'other'));
    expect((await readBundle(files, outDir, task)).reason).toBe(
      'result.json belongs to task other',
    );
    fs.writeFileSync(resultFile(), '{');
    expect((await readBundle(files, outDir, task)).bundle).toBeNull();
  });

  it('does not read as whole when its writer died between the two files', async () => {
    await writeBundle(files, outDir, bundle);
    const dying: FileSystem = {
      ...files,
      replace: async (path, content) => {
        if (path.endsWith('result.json')) throw new Error('killed');
        await files.replace(path, content);
      },
    };
    const next = { ...bundle, key: 'k2', patch: Buffer.from('other work') };
    await expect(writeBundle(dying, outDir, next)).rejects.toThrow('killed');
    expect((await readBundle(files, outDir, task)).bundle).toBeNull();
  });
});

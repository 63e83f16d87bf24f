import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import fc from 'fast-check';

import { makeRepository, type TestRepository } from '../testing/git-repository';
import { checkoutSize } from './checkout-size';

jest.setTimeout(60_000);

const FILES = {
  'a.txt': 'x'.repeat(5000),
  'deep/down/b.txt': 'one\n',
  'deep/down/c.txt': 'two\n',
  'deep/d.txt': 'three\n',
  [`long/${'n'.repeat(200)}/e.txt`]: 'four\n',
};
/** `a.txt` takes two blocks, the other four files one each, and so do four folders. */
const SIZE = { bytes: 10 * 4096, files: 5, inodes: 9 };

describe('checkoutSize', () => {
  let repository: TestRepository;

  beforeEach(async () => {
    repository = await makeRepository(FILES);
  });
  afterEach(() => repository.cleanup());

  const index = () => readFile(join(repository.root, '.git/index'));

  it.each([2, 4])('reads an index of version %d', async (version) => {
    await repository.git(['update-index', '--index-version', String(version)]);
    expect((await index()).readUInt32BE(4)).toBe(version);
    expect(checkoutSize(await index())).toEqual(SIZE);
  });

  it('reads one of version 3, with marks that need more room', async () => {
    await repository.git(['update-index', '--skip-worktree', 'deep/d.txt']);
    expect((await index()).readUInt32BE(4)).toBe(3);
    expect(checkoutSize(await index())).toEqual(SIZE);
  });

  it('takes files it has no size of for middling ones', async () => {
    await repository.git(['read-tree', '--empty']);
    await repository.git(['read-tree', 'HEAD']);
    await repository.git(['update-index', '--refresh', '--', 'a.txt']).catch(() => undefined);
    expect(checkoutSize(await index())).toMatchObject({ files: 5, inodes: 9 });
    expect(checkoutSize(await index())?.bytes).toBeGreaterThanOrEqual(9 * 4096);
  });

  it('is what the files take', async () => {
    const sizes = await Promise.all(
      Object.keys(FILES).map(async (name) => (await stat(join(repository.root, name))).size),
    );
    const blocks = sizes.reduce((sum, size) => sum + Math.ceil(size / 4096), 0);
    expect(checkoutSize(await index())?.bytes).toBe((blocks + 4) * 4096);
  });

  it('says that it does not know, whatever is cut off or written over', async () => {
    const whole = await index();
    expect(checkoutSize(Buffer.alloc(0))).toEqual({ bytes: 0, files: 0, inodes: 0 });
    expect(checkoutSize(Buffer.from('no index at all'))).toBeNull();
    const end = 12 + 5 * 62;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: end }), (length) => {
        expect(checkoutSize(whole.subarray(0, length))).toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 400 }), (bytes) => {
        const damaged = Buffer.concat([whole.subarray(0, 12), bytes]);
        expect(() => checkoutSize(damaged)).not.toThrow();
      }),
    );
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeQuickFiles } from './node-quick-files';

const quick = nodeQuickFiles();
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quick-'));
  path = join(folder, 'file');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('quick files', () => {
  it('are created once, private to the user', () => {
    expect(quick.create(path, 'one')).toBe('created');
    expect(quick.create(path, 'two')).toBe('exists');
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('are not created where there is no folder', () => {
    expect(quick.create(join(folder, 'none', 'file'), 'x')).toBe('no-folder');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are rewritten in place, never shorter, and only while they exist', () => {
    expect(quick.rewrite(path, 'x')).toBe(false);
    quick.create(path, '{"a":1}');
    const { ino } = statSync(path);
    expect(quick.rewrite(path, '{}')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('{}     ');
    expect(quick.rewrite(path, '{"longer":true}')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('{"longer":true}');
    expect(statSync(path).ino).toBe(ino);
  });

  it('can stay open, and be written under whatever name they have', () => {
    const file = quick.open(path, '{"a":1}');
    if (typeof file === 'string') throw new Error(file);
    expect(quick.open(path, 'x')).toBe('exists');
    expect(quick.open(join(folder, 'none', 'file'), 'x')).toBe('no-folder');
    expect(quick.rename(path, join(folder, 'other'))).toBe(true);
    expect(quick.rename(path, join(folder, 'other'))).toBe(false);
    file.rewrite('{}');
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('{}     ');
    quick.remove(join(folder, 'other'));
    file.rewrite('nobody sees it');
    file.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are removed once', () => {
    quick.create(path, '');
    expect(quick.remove(path)).toBe(true);
    expect(quick.remove(path)).toBe(false);
  });
});

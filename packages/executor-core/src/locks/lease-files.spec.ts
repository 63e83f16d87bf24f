import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeQuickFiles } from '../adapters/node-quick-files';
import { isIdleName, LeaseFiles } from './lease-files';

let root: string;
let folder: string;
let files: LeaseFiles;
const at = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(at(name), 'utf8').trimEnd();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lease-files-'));
  folder = join(root, 'leases-1');
  mkdirSync(folder);
  files = new LeaseFiles(nodeQuickFiles(), folder);
});
afterEach(() => {
  files.close();
  rmSync(root, { recursive: true, force: true });
});

describe('files of leases', () => {
  it('are used again for the next, under its name and with its content', () => {
    files.create(at('one'), 'a long content');
    const { ino } = statSync(at('one'));
    files.spare(at('one'));
    expect(files.create(at('two'), 'short')).toBe('created');
    expect(readdirSync(folder)).toEqual(['two']);
    expect(text('two')).toBe('short');
    expect(statSync(at('two')).ino).toBe(ino);
    files.spare(at('two'));
    files.create(at('three'), 'a content longer than all before');
    expect(text('three')).toBe('a content longer than all before');
    expect(files.removeSpares()).toBe(true);
    expect(readdirSync(folder)).toEqual(['three']);
  });

  it('lose their names when nobody needs one, and wait for their next use', () => {
    files.create(at('one'), '1');
    files.spare(at('one'));
    expect(files.removeSpares()).toBe(true);
    expect(readdirSync(folder).map(isIdleName)).toEqual([true]);
    expect(files.removeSpares()).toBe(true);
    files.create(at('two'), '2');
    expect(readdirSync(folder)).toEqual(['two']);
    expect(text('two')).toBe('2');
    files.spare(at('two'));
    files.removeSpares();
    files.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are made anew when the spare one has been removed by somebody else', () => {
    files.create(at('one'), '1');
    files.spare(at('one'));
    rmSync(at('one'));
    expect(files.create(at('two'), '2')).toBe('created');
    expect(text('two')).toBe('2');
    files.create(at('three'), '3');
    files.spare(at('three'));
    rmSync(at('three'));
    expect(files.removeSpares()).toBe(false);
  });

  it('are neither written nor removed once the folder has been moved', () => {
    files.create(at('one'), '1');
    files.create(at('two'), '2');
    const next = join(root, 'leases-2');
    renameSync(folder, next);
    files.spare(at('one'));
    expect(files.create(at('three'), '3')).toBe('no-folder');
    files.spare(at('two'));
    expect(files.removeSpares()).toBe(false);
    expect(readdirSync(next).sort()).toEqual(['one', 'two']);
    expect(readFileSync(join(next, 'one'), 'utf8')).toBe('1');
  });

  it('that somebody else has moved are not written any more', () => {
    files.create(at('one'), '1');
    files.forget(at('one'));
    renameSync(at('one'), join(root, 'fenced'));
    files.spare(at('one'));
    files.create(at('two'), '2');
    expect(readFileSync(join(root, 'fenced'), 'utf8')).toBe('1');
    expect(text('two')).toBe('2');
  });

  it('may be many', () => {
    for (let n = 0; n < 300; n += 1) files.create(at(`f${n}`), `${n}`);
    for (let n = 0; n < 300; n += 1) files.spare(at(`f${n}`));
    for (let n = 300; n < 600; n += 1) files.create(at(`f${n}`), `${n}`);
    expect(files.removeSpares()).toBe(true);
    expect(readdirSync(folder)).toHaveLength(300);
    for (let n = 300; n < 600; n += 1) files.spare(at(`f${n}`));
    for (let n = 600; n < 601; n += 1) files.create(at(`f${n}`), `${n}`);
    expect(files.removeSpares()).toBe(true);
    expect(readdirSync(folder)).toHaveLength(33);
    expect(text('f600')).toBe('600');
  });

  it('refuse a name that is taken', () => {
    files.create(at('one'), '1');
    expect(files.create(at('one'), '2')).toBe('exists');
  });
});

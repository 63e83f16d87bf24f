import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCompiled } from './compiled-code';

interface Sample {
  readonly double: (n: number) => number;
  readonly where: string;
  readonly near: () => string;
}

const SOURCE = `exports.double = (n) => n * 2; exports.where = __filename; exports.near = () => require('./near');`;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'compiled-'));
  file = join(folder, 'main.js');
  writeFileSync(file, SOURCE);
  writeFileSync(join(folder, 'near.js'), `module.exports = 'here';`);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function caches(): readonly string[] {
  return readdirSync(folder).filter((name) => name.includes('.cache'));
}

function load(): { readonly sample: Sample; readonly keep: (() => void) | null } {
  const { exports: sample, keep } = loadCompiled(file);
  return { sample: sample as Sample, keep };
}

/** Loads the file and keeps what was compiled. */
function keepCompiled(): string {
  const { sample, keep } = load();
  sample.double(1);
  keep?.();
  const [name = ''] = caches();
  return join(folder, name);
}

it('loads a file as require does', () => {
  const { sample } = load();
  expect(sample.double(21)).toBe(42);
  expect(sample.where).toBe(file);
  expect(sample.near()).toBe('here');
});

it('writes nothing by itself, and one file when asked', () => {
  const { keep } = load();
  expect(caches()).toEqual([]);
  keep?.();
  expect(caches()).toEqual([
    `main.js.${process.version}-${process.platform}-${process.arch}.cache`,
  ]);
});

it('uses what an earlier start kept', () => {
  keepCompiled();
  const { sample, keep } = load();
  expect(keep).toBeNull();
  expect(sample.double(21)).toBe(42);
});

it('does not use the code of another source of the same length', () => {
  keepCompiled();
  writeFileSync(file, SOURCE.replace('n * 2', 'n * 3'));
  const { sample, keep } = load();
  expect(keep).not.toBeNull();
  expect(sample.double(21)).toBe(63);
});

it.each([
  ['changed in one place', (bytes: Buffer) => bytes.fill(bytes.readUInt8(900) ^ 1, 900, 901)],
  ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['shorter than a digest', (bytes: Buffer) => bytes.subarray(0, 3)],
  ['empty', () => Buffer.alloc(0)],
])('compiles again when the kept code is %s, and keeps that', (_what, damage) => {
  const cache = keepCompiled();
  writeFileSync(cache, damage(readFileSync(cache)));
  const { sample, keep } = load();
  expect(sample.double(21)).toBe(42);
  expect(keep).not.toBeNull();
  keep?.();
  expect(load().keep).toBeNull();
});

it('does without where nothing can be written', () => {
  const { sample, keep } = load();
  rmSync(folder, { recursive: true });
  expect(() => keep?.()).not.toThrow();
  expect(sample.double(21)).toBe(42);
});

it('leaves one whole file when several processes keep theirs', () => {
  const [first, second] = [load(), load()];
  first.keep?.();
  second.keep?.();
  expect(caches()).toHaveLength(1);
  expect(load().keep).toBeNull();
});

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformFileSync } from '@swc/core';

const SOURCES = resolve(__dirname, '..');

/** For `NODE_PATH` of a process that runs compiled sources: where their packages are. */
export const MODULES = resolve(SOURCES, '../../../node_modules');

/**
 * Compiles the sources in folders of this package (`adapters`, `model`) into folders of the same names below
 * `target`, without their specs: for tests that need a second process.
 */
export function compileSources(target: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(target, name));
    for (const file of readdirSync(join(SOURCES, name))) {
      if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
      const { code } = transformFileSync(join(SOURCES, name, file), {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      });
      writeFileSync(join(target, name, file.replace(/ts$/, 'js')), code);
    }
  }
}

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OUT = '.parallel/out';
const KEY_FILE = 'nx-key';
const PATCH = 'changes.patch';

/**
 * What a task's result was made from: its plan entry and the patches of what it builds upon. Nx's own
 * key also holds the other targets of the project, nx.json and .gitignore, which no agent's work
 * depends on: this one says whether a miss needs the agent.
 *
 * @param entryKey `taskKey` of the core.
 * @param upstream Tasks whose result bundles are in place.
 */
export function resultKey(root: string, entryKey: string, upstream: readonly string[]): string {
  const hash = createHash('sha256').update(entryKey);
  for (const task of [...upstream].sort()) {
    const patch = join(root, OUT, task, PATCH);
    hash.update(`\0${task}\0`).update(existsSync(patch) ? readFileSync(patch) : '');
  }
  return hash.digest('hex');
}

/** Whether the result bundle of `task` that lies there was made from `key`. */
export function isUpToDate(root: string, task: string, key: string): boolean {
  const file = join(root, OUT, task, KEY_FILE);
  return existsSync(file) && readFileSync(file, 'utf8') === key;
}

/** Notes beside the result bundle of `task` what it was made from. */
export function noteKey(root: string, task: string, key: string): void {
  mkdirSync(join(root, OUT, task), { recursive: true });
  writeFileSync(join(root, OUT, task, KEY_FILE), key);
}

import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { git, makeRepository, scratchFolder } from './repository.mjs';

const child = fileURLToPath(new URL('./concurrent-adds-child.mjs', import.meta.url));
const FILES = 50;

/**
 * `processes` processes add and remove `rounds` worktrees each in one small repository, all at once. Resolves with
 * the messages of what failed, and the worktrees that git still lists at the end.
 */
export async function addAtOnce({ processes = 25, rounds = 40 } = {}) {
  const root = scratchFolder('soak');
  try {
    const files = Array.from({ length: FILES }, (_, at) => [`file-${at}.txt`, `${at}\n`]);
    makeRepository(root, files);
    const failures = await Promise.all(
      Array.from({ length: processes }, (_, at) => inChild([root, at + 1, rounds].map(String))),
    );
    const [, ...left] = git(root, 'worktree', 'list').split('\n');
    return { failures: failures.flat(), left };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function inChild(args) {
  return new Promise((done) => {
    const one = fork(child, args);
    let failures = ['the process ended without an answer'];
    one.on('message', (message) => (failures = message));
    one.once('exit', () => done(failures));
  });
}

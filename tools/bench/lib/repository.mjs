import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What git prints, without the end of its last line. */
export function git(cwd, ...args) {
  return execFileSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 }).trimEnd();
}

/** A new folder for temporary things, links resolved. */
export function scratchFolder(name) {
  return realpathSync(mkdtempSync(join(tmpdir(), `parallel-${name}-`)));
}

/**
 * A new repository at `root` whose branch `main` has one commit, of `files`: pairs of a path and its text. Its
 * checkout has an index and no files, which `git reset --hard` writes where they are needed.
 */
export function makeRepository(root, files) {
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', root]);
  git(root, 'config', 'user.name', 'Bench');
  git(root, 'config', 'user.email', 'bench@localhost');
  importCommits(root, [{ ref: 'refs/heads/main', files }]);
  git(root, 'read-tree', 'HEAD');
  return root;
}

/** Adds commits, each on a branch of its own: `files` over those of the commit `from`, where there is one. */
export function importCommits(root, commits) {
  const parts = commits.flatMap(({ ref, from, files }, at) => [
    `commit ${ref}\ncommitter Bench <bench@localhost> ${1_700_000_000 + at} +0000\ndata 4\nmade\n`,
    from === undefined ? '' : `from ${from}\n`,
    ...Array.from(files, fileLine),
  ]);
  const input = parts.join('');
  execFileSync('git', ['fast-import', '--quiet', '--force'], { cwd: root, input });
}

const fileLine = ([path, text]) =>
  `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;

import { gitAdapter } from '../adapters/simple-git';
import type { Ladder, Resolution } from '../merge/resolve-conflict';
import { resolveConflict } from '../merge/resolve-conflict';
import type { ConflictPolicy } from '../model/task';
import type { Git, TreeEntry } from '../ports/git';
import type { TestRepository } from './git-repository';
import { makeRepository } from './git-repository';

/** A file as text (mode 100644), or with a mode; `null` deletes it. A `160000` entry has a commit id. */
export type Content = string | { readonly mode: string; readonly content: string } | null;
export type Snapshot = Readonly<Record<string, Content>>;

/** Three snapshots of a merge; `ours` and `theirs` are what each side changes. */
export interface Merge {
  readonly base: Snapshot;
  readonly ours: Snapshot;
  readonly theirs: Snapshot;
  /** Message and commit time (epoch seconds) of the sides. */
  readonly ourCommit?: Partial<CommitNote>;
  readonly theirCommit?: Partial<CommitNote>;
}

interface CommitNote {
  readonly message: string;
  readonly when: number;
}

/** Merges made from objects alone: no file of the checkout is written. */
export interface ConflictRig {
  readonly repo: TestRepository;
  readonly git: Git;
  /** The commits of a merge. */
  commits(
    merge: Merge,
  ): Promise<{ readonly base: string; readonly ours: string; readonly theirs: string }>;
  resolve(merge: Merge, policy: ConflictPolicy, ladder?: Ladder): Promise<Resolution>;
  /** Content at `path` of a tree, byte for byte as UTF-8; `null` where there is none. */
  show(tree: string, path: string): Promise<string | null>;
  cleanup(): Promise<void>;
}

/** One repository for any number of merges. */
export async function makeConflictRig(): Promise<ConflictRig> {
  const repo = await makeRepository();
  const git = gitAdapter();
  const objects = git.objects(repo.root);
  const commit = (tree: string, parents: readonly string[], note: Partial<CommitNote> = {}) => {
    const { message = 'side', when = 1_700_000_000 } = note;
    const who = `Test <test@example.com> ${when} +0000`;
    const lines = [`tree ${tree}`, ...parents.map((id) => `parent ${id}`)];
    const text = [...lines, `author ${who}`, `committer ${who}`, '', `${message}\n`].join('\n');
    return objects.writeCommit(text);
  };
  const commits = async ({ base, ours, theirs, ourCommit, theirCommit }: Merge) => {
    const root = await commit(await writeSnapshot(git, repo.root, base), []);
    const side = async (edits: Snapshot, note?: Partial<CommitNote>) =>
      commit(await writeSnapshot(git, repo.root, { ...base, ...edits }), [root], note);
    return {
      base: root,
      ours: await side(ours, ourCommit),
      theirs: await side(theirs, theirCommit),
    };
  };
  const resolve = async (merge: Merge, policy: ConflictPolicy, ladder: Ladder = {}) => {
    const { ours, theirs } = await commits(merge);
    return resolveConflict({ git, cwd: repo.root, ours, theirs, policy, ladder });
  };
  const show = async (tree: string, path: string) => {
    const id = await objects.resolve(`${tree}:${path}`);
    return id === null ? null : (await objects.readBlob(id)).toString('utf8');
  };
  return { repo, git, commits, resolve, show, cleanup: () => repo.cleanup() };
}

/** Tree id of a snapshot. */
async function writeSnapshot(git: Git, root: string, files: Snapshot): Promise<string> {
  const objects = git.objects(root);
  const folders = new Map<string, Record<string, Content>>();
  const entries: TreeEntry[] = [];
  for (const [path, file] of Object.entries(files)) {
    if (file === null) continue;
    const slash = path.indexOf('/');
    if (slash > 0) {
      const name = path.slice(0, slash);
      folders.set(name, { ...folders.get(name), [path.slice(slash + 1)]: file });
      continue;
    }
    const { mode, content } = typeof file === 'string' ? { mode: '100644', content: file } : file;
    const id = mode === '160000' ? content : await objects.writeBlob(Buffer.from(content, 'utf8'));
    entries.push({ mode, name: latin1(path), id });
  }
  for (const [name, inside] of folders) {
    entries.push({ mode: '40000', name: latin1(name), id: await writeSnapshot(git, root, inside) });
  }
  return objects.writeTree(entries);
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** One case of the conflict suite. */
export interface ConflictCase extends Merge {
  readonly policy?: ConflictPolicy;
  readonly ladder?: Ladder;
  /** What settles it; of several paths the rungs by path. */
  readonly rung: 'clean' | 'structural' | 'policy' | 'rerun' | 'person';
  /** Content of the merged tree; `null`: no such file. */
  readonly result?: Readonly<Record<string, string | null>>;
}

export const lines = (...text: readonly string[]): string =>
  text.map((line) => `${line}\n`).join('');

export const json = (value: unknown, indent: number | string = 2): string =>
  `${JSON.stringify(value, null, indent)}\n`;

/** One file, three versions. */
export const file = (path: string, base: string, ours: string, theirs: string): Merge => ({
  base: { [path]: base },
  ours: { [path]: ours },
  theirs: { [path]: theirs },
});

/** One file both sides add. */
export const added = (path: string, ours: string, theirs: string): Merge => ({
  base: { 'other.txt': 'x\n' },
  ours: { [path]: ours },
  theirs: { [path]: theirs },
});

/** `package.json` with members beside its name. */
export const pkg = (base: object, ours: object, theirs: object): Merge =>
  file(
    'package.json',
    json({ name: 'p', ...base }),
    json({ name: 'p', ...ours }),
    json({ name: 'p', ...theirs }),
  );
/** The `package.json` that is expected. */
export const merged = (value: object): ConflictCase['result'] => ({
  'package.json': json({ name: 'p', ...value }),
});

/** Which rungs settled the case, or what comes next; and the content of the paths it names. */
export async function play(rig: ConflictRig, one: ConflictCase): Promise<Played> {
  const answer = await rig.resolve(one, one.policy ?? 'wait', one.ladder);
  const rungs =
    answer.kind === 'unresolved' ? [answer.next] : answer.resolved.map(({ rung }) => rung);
  const result: Record<string, string | null> = {};
  for (const path of Object.keys(one.result ?? {})) {
    result[path] = answer.kind === 'merged' ? await rig.show(answer.tree, path) : null;
  }
  return { rungs: [...new Set(rungs)], result };
}

interface Played {
  readonly rungs: readonly string[];
  readonly result: Readonly<Record<string, string | null>>;
}

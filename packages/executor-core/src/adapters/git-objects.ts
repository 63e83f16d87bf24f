import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type {
  CommitHead,
  GitObjects,
  GitObjectsUse,
  RefTransaction,
  TreeEntry,
} from '../ports/git';
import { GitError } from '../ports/git';
import type { TakeAnswer } from './git-conversation';
import { ConversationEnded, GitConversation } from './git-conversation';
import { scratchPrefix } from './scratch';

const OWN_CONFIG = [
  // How long git waits for somebody else's lock on a ref; its default is a tenth of a second.
  ...['-c', 'core.filesRefLockTimeout=3000', '-c', 'core.packedRefsTimeout=3000'],
  // Patches of the same bytes whatever the user configured.
  ...['-c', 'diff.suppressBlankEmpty=false', '-c', 'core.quotePath=true'],
];
/** Plumbing ignores most of what the user configured by itself. */
const STABLE_DIFF = [
  ...['diff-tree', '--stdin', '-r', '-p', '--binary', '--full-index', '--no-color'],
  ...['--no-renames', '--no-ext-diff', '--no-textconv'],
];
/** Commits and trees never change, so the last ones read are remembered. */
const REMEMBERED = 4096;
/** Of each folder little is kept: nearly none holds a submodule. */
const REMEMBERED_FOLDERS = 65_536;
const LF = 0x0a;
const FOLDER = '40000';
const GITLINK = '160000';

/** What a git prints that is started for one question; rejects when it fails. */
type AskOnce = (args: readonly string[]) => Promise<string>;

/** Objects and refs of one repository; `config` and `env` as for every git of ours. */
export function gitObjects(
  root: string,
  config: readonly string[],
  env: Readonly<Record<string, string>>,
  askOnce: AskOnce,
): GitObjects {
  const talk = (...args: readonly string[]): GitConversation =>
    new GitConversation({ config: [...config, ...OWN_CONFIG], args, cwd: root, env });
  const reader = talk('cat-file', '--batch-command');
  const trees = remember(async (id) => parseTree(await readObject(reader, id, 'tree')));
  const listed = new Map<string, readonly string[]>();
  const gitlinksBelow: GitObjects['gitlinks'] = remember(
    async (tree) => listed.get(tree) ?? findGitlinks(trees, gitlinksBelow, tree),
    REMEMBERED_FOLDERS,
  );
  // Apart: the folders of one large repository would push out what is known of its root.
  const gitlinks = remember(async (tree) => {
    if (listed.size === 0) await listGitlinks(askOnce, tree, listed);
    return gitlinksBelow(tree);
  });
  const commits = remember(async (id) => parseCommit(await readObject(reader, id, 'commit')));
  const treeWriter = talk('mktree', '-z', '--batch', '--missing');
  const writer = (type: string): GitConversation =>
    talk('hash-object', '-w', '-t', type, '--no-filters', '--stdin-paths');
  const [commitWriter, blobWriter] = [writer('commit'), writer('blob')];
  const refs = talk('update-ref', '-m', 'parallel: land', '--stdin');
  const differ = talk(...STABLE_DIFF);
  const behind: Readonly<Record<GitObjectsUse, GitConversation>> = {
    read: reader,
    writeTree: treeWriter,
    writeCommit: commitWriter,
    moveRefs: refs,
    patch: differ,
  };
  return {
    prepare: (...uses) => {
      for (const use of uses) behind[use].prepare();
    },
    resolve: (revision) => resolve(reader, revision),
    readTree: trees,
    readCommit: commits,
    readBlob: (id) => readObject(reader, id, 'blob'),
    gitlinks,
    writeTree: (entries) => askAgain(treeWriter, treeInput(entries), takeLine),
    writeCommit: (text) => writeObject(commitWriter, text),
    writeBlob: (content) => writeObject(blobWriter, content),
    moveRefs: (lines) => moveRefs(refs, lines),
    patch: (from, to) => patch(differ, from, to),
  };
}

const takeLine: TakeAnswer<string> = (said) => {
  const end = said.indexOf(LF);
  return end < 0 ? null : { answer: said.toString('utf8', 0, end), length: end + 1 };
};

/** What may be asked twice: a git that was killed over the question is replaced, once. */
async function askAgain<T>(
  conversation: GitConversation,
  question: string | Buffer,
  take: TakeAnswer<T>,
): Promise<T> {
  try {
    return await conversation.ask(question, take);
  } catch (error) {
    if (!(error instanceof ConversationEnded) || error.exitCode !== -1) throw error;
    return conversation.ask(question, take);
  }
}

async function resolve(reader: GitConversation, revision: string): Promise<string | null> {
  if (revision.includes('\n')) return null;
  const line = await askAgain(reader, `info ${revision}\n`, takeLine);
  return /^([0-9a-f]{40,64}) \w+ \d+$/.exec(line)?.[1] ?? null;
}

async function readObject(reader: GitConversation, id: string, type: string): Promise<Buffer> {
  const found = await askAgain(reader, `contents ${id}\n`, takeObject);
  if (found?.type === type) return found.content;
  throw new Error(`${id} is ${found === null ? 'missing' : `a ${found.type}, not a ${type}`}.`);
}

const takeObject: TakeAnswer<{ readonly type: string; readonly content: Buffer } | null> = (
  said,
) => {
  const header = takeLine(said);
  if (header === null) return null;
  const [, type, size] = /^[0-9a-f]+ (\w+) (\d+)$/.exec(header.answer) ?? [];
  if (type === undefined) return { answer: null, length: header.length };
  const end = header.length + Number(size);
  if (said.length <= end) return null;
  const content = Buffer.from(said.subarray(header.length, end));
  return { answer: { type, content }, length: end + 1 };
};

/**
 * Adds to `found`, by the id of every folder of `tree`, its gitlinks: one git for all folders, not a question
 * for each. Where it cannot say, `findGitlinks` finds out why.
 */
async function listGitlinks(
  askOnce: AskOnce,
  tree: string,
  found: Map<string, readonly string[]>,
): Promise<void> {
  // Without -r and -t it would show none below; -d leaves the files out.
  const text = await askOnce(['ls-tree', '-r', '-t', '-d', '-z', '--full-tree', tree]).catch(
    () => null,
  );
  if (text === null) return;
  const entries = text.split('\0').flatMap((line) => {
    const [, mode, id = '', path = ''] = /^(\d+) \w+ (\w+)\t([^]+)$/.exec(line) ?? [];
    return mode === undefined ? [] : [{ isLink: mode === GITLINK, id, path }];
  });
  const links = entries.filter(({ isLink }) => isLink).map(({ path }) => path);
  for (const { id, path } of entries.filter(({ isLink }) => !isLink)) {
    const below = links.filter((link) => link.startsWith(`${path}/`));
    found.set(
      id,
      below.map((link) => link.slice(path.length + 1)),
    );
  }
  found.set(tree, links);
}

/** Remembered by folder, so that a new commit costs a look at the folders it changed. */
async function findGitlinks(
  readTree: GitObjects['readTree'],
  below: GitObjects['gitlinks'],
  tree: string,
): Promise<readonly string[]> {
  const entries = await readTree(tree);
  const found = entries.map(async ({ mode, name, id }): Promise<readonly string[]> => {
    const text = Buffer.from(name, 'latin1').toString('utf8');
    if (mode === GITLINK) return [text];
    return mode === FOLDER ? (await below(id)).map((path) => `${text}/${path}`) : [];
  });
  return (await Promise.all(found)).flat();
}

/** `<mode> SP <name> NUL <binary id>`, again and again. */
function parseTree(content: Buffer): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const nul = content.indexOf(0, space);
    const end = nul + 1 + idBytes(content, nul + 1);
    entries.push({
      mode: content.toString('latin1', at, space),
      name: content.toString('latin1', space + 1, nul),
      id: content.toString('hex', nul + 1, end),
    });
    at = end;
  }
  return entries;
}

/** 20 bytes, or 32 in a repository with SHA-256: then every entry has 32, so a mode follows there. */
function idBytes(content: Buffer, start: number): number {
  const follows = (at: number): boolean =>
    at === content.length || /^(?:1[0-7]{5}|40000) /.test(content.toString('latin1', at, at + 7));
  return follows(start + 20) ? 20 : 32;
}

function parseCommit(content: Buffer): CommitHead {
  const header = content.toString('latin1').split('\n\n', 1)[0] ?? '';
  const named = (key: string): readonly string[] =>
    header
      .split('\n')
      .filter((line) => line.startsWith(`${key} `))
      .map((line) => line.slice(key.length + 1));
  return { tree: named('tree')[0] ?? '', parents: named('parent') };
}

/** An empty record ends the tree. */
function treeInput(entries: readonly TreeEntry[]): Buffer {
  const lines = entries.map(({ mode, name, id }) => {
    const type = mode === FOLDER ? 'tree' : mode === GITLINK ? 'commit' : 'blob';
    return `${mode.padStart(6, '0')} ${type} ${id}\t${name}\0`;
  });
  return Buffer.from(`${lines.join('')}\0`, 'latin1');
}

/** git takes names of files only, so the content goes through one; a killed process's go with its shell's folders. */
async function writeObject(writer: GitConversation, content: string | Buffer): Promise<string> {
  const file = join(tmpdir(), `${scratchPrefix('object')}${randomUUID()}`);
  await writeFile(file, content, { mode: 0o600 });
  try {
    return await writer.ask(`${file}\n`, takeLine);
  } catch (error) {
    throw asGitError(error);
  } finally {
    await rm(file, { force: true });
  }
}

async function moveRefs(refs: GitConversation, lines: readonly string[]): Promise<RefTransaction> {
  const question = ['start', ...lines, 'prepare', 'commit', ''].join('\n');
  try {
    await refs.ask(question, takeCommitted);
    return { ok: true };
  } catch (error) {
    if (!(error instanceof ConversationEnded)) throw error;
    const { exitCode, stderr } = error;
    return { ok: false, result: { exitCode, stdout: '', stderr } };
  }
}

const COMMITTED = 'start: ok\nprepare: ok\ncommit: ok\n';
const takeCommitted: TakeAnswer<true> = (said) =>
  said.length < COMMITTED.length ? null : { answer: true, length: COMMITTED.length };

/** git says a line back that holds no ids, and only then all it has said before; no patch has one like it. */
const END_OF_PATCH = Buffer.from('#end\n');

async function patch(differ: GitConversation, from: string, to: string): Promise<Buffer> {
  const head = Buffer.from(`${from} ${to}\n`);
  const take: TakeAnswer<Buffer> = (said) => {
    const stop = endOfPatch(said, head.length);
    if (stop === null) return null;
    const answer = Buffer.from(said.subarray(head.length, stop));
    return { answer, length: stop + END_OF_PATCH.length };
  };
  try {
    return await differ.ask(Buffer.concat([head, END_OF_PATCH]), take);
  } catch (error) {
    throw asGitError(error);
  }
}

function endOfPatch(said: Buffer, start: number): number | null {
  const find = (from: number): number => said.indexOf(END_OF_PATCH, from);
  for (let at = find(start); at >= 0; at = find(at + 1)) {
    if (said[at - 1] === LF) return at;
  }
  return null;
}

function asGitError(error: unknown): unknown {
  if (!(error instanceof ConversationEnded)) return error;
  const { args, exitCode, stderr } = error;
  return new GitError(args, { exitCode, stdout: '', stderr });
}

function remember<T>(
  read: (id: string) => Promise<T>,
  most = REMEMBERED,
): (id: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const asked = read(id);
    known.set(id, asked);
    asked.catch(() => known.delete(id));
    const [oldest] = known.keys();
    if (known.size > most && oldest !== undefined) known.delete(oldest);
    return asked;
  };
}

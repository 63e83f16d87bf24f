// Replays the merge commits of a clone through the conflict ladder: the first parent is the target, the
// second the candidate. Tells, beside plain git, how many need no person, how many of the answers are what
// people committed, and whether a line the target gained got lost without a word (then it exits with 1).
//   node tools/replay-merges.mjs REPOSITORY [--limit N] [--policy auto_merge|theirs-if-newer] [--json]
// The clone is only read: new objects go to a temporary one. Needs a build (`npm run build`).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tableText } from './bench/lib/table.mjs';

const core = fileURLToPath(new URL('../packages/executor-core/dist/', import.meta.url));
const load = createRequire(import.meta.url);
const { gitAdapter } = load(join(core, 'adapters/simple-git.js'));
const { resolveConflict } = load(join(core, 'merge/resolve-conflict.js'));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: 'string', default: '1000' },
    policy: { type: 'string', default: 'auto_merge' },
    json: { type: 'boolean', default: false },
  },
});
const [repository] = positionals;
if (repository === undefined) {
  console.error(
    'Usage: npm run replay:merges -- REPOSITORY [--limit N] [--policy POLICY] [--json]',
  );
  process.exit(2);
}

const SOMEBODY = {
  GIT_AUTHOR_NAME: 'replay',
  GIT_AUTHOR_EMAIL: 'replay@localhost',
  GIT_COMMITTER_NAME: 'replay',
  GIT_COMMITTER_EMAIL: 'replay@localhost',
};

const folder = mkdtempSync(join(tmpdir(), 'parallel-replay-'));
try {
  const clone = join(folder, 'clone.git');
  const options = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' };
  const source = resolve(repository);
  execFileSync('git', ['clone', '--quiet', '--bare', '--shared', source, clone], options);
  const answer = await replay(clone, values);
  if (values.json)
    console.log(JSON.stringify({ schemaVersion: 1, repository, ...answer }, null, 2));
  else print(answer);
  if (answer.silent_losses.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function replay(cwd, { limit, policy }) {
  const git = gitAdapter();
  const objects = git.objects(cwd);
  const select = ['--min-parents=2', '--max-parents=2', `--max-count=${limit}`, '--all'];
  const merges = (await git.text(['rev-list', ...select], { cwd })).split('\n').filter(Boolean);
  const sums = { merges: 0, clean: 0, clean_same: 0, settled: 0, settled_same: 0 };
  const rungs = {};
  const files = { settled: 0, same: 0 };
  const losses = [];
  const left = {};
  const alone = {};
  const used = process.cpuUsage();
  for (const merge of merges) {
    const { tree, parents } = await objects.readCommit(merge);
    const [ours, theirs] = parents;
    const base = await mergeBase(git, cwd, ours, theirs);
    if (base === null || base === ours || base === theirs) continue;
    sums.merges += 1;
    const made = await resolveConflict({ git, cwd, ours, theirs, policy, ladder: {} });
    if (made.kind === 'unresolved') {
      for (const path of made.paths) left[kindOf(path)] = (left[kindOf(path)] ?? 0) + 1;
      for (const one of contentConflicts(made.state.entries)) {
        const counts = (alone[classOf(one.path)] ??= { conflicts: 0, settled: 0, same: 0 });
        counts.conflicts += 1;
        const id = await settleAlone({ git, cwd, objects, policy }, one);
        if (id === null) continue;
        counts.settled += 1;
        if (id === (await objects.resolve(`${merge}:${one.path}`))) counts.same += 1;
      }
      continue;
    }
    const same = made.tree === tree ? 1 : 0;
    if (made.resolved.length === 0) {
      sums.clean += 1;
      sums.clean_same += same;
      continue;
    }
    sums.settled += 1;
    sums.settled_same += same;
    for (const { path, rung, loser } of made.resolved) {
      rungs[rung] = (rungs[rung] ?? 0) + 1;
      files.settled += 1;
      const read = async (commit) => {
        const id = await objects.resolve(`${commit}:${path}`);
        return { id, text: id === null ? '' : (await objects.readBlob(id)).toString('utf8') };
      };
      const versions = await Promise.all([base, ours, theirs, made.tree, tree].map(read));
      if (versions[3].id === versions[4].id) files.same += 1;
      if (loser !== undefined) continue;
      const lost = lostItems(path, ...versions.map(({ text }) => text));
      if (lost.length > 0) losses.push({ merge, path, rung, lost: lost.slice(0, 5) });
    }
  }
  const { user, system } = process.cpuUsage(used);
  const cpuMs = Math.round((user + system) / 1000);
  return { ...sums, rungs, files, left, alone, silent_losses: losses, cpu_ms: cpuMs };
}

/** Paths that both sides changed and both still have. */
function contentConflicts(entries) {
  const paths = new Map();
  for (const { path, stage, mode, id } of entries) {
    paths.set(path, { ...paths.get(path), path, mode, [stage]: id });
  }
  return [...paths.values()].filter((one) => one[1] && one[2] && one[3]);
}

/** A merge of which one file would be left stays a merge for people: how is that file on its own? */
async function settleAlone({ git, cwd, objects, policy }, { path, mode, ...stages }) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const commit = async (id, ...parents) => {
    const tree = await objects.writeTree([{ mode, name, id }]);
    return git.text(['commit-tree', tree, ...parents.flatMap((one) => ['-p', one]), '-m', name], {
      cwd,
      env: SOMEBODY,
    });
  };
  const base = await commit(stages[1]);
  const [ours, theirs] = [await commit(stages[2], base), await commit(stages[3], base)];
  const made = await resolveConflict({ git, cwd, ours, theirs, policy, ladder: {} });
  return made.kind === 'merged' ? objects.resolve(`${made.tree}:${name}`) : null;
}

async function mergeBase(git, cwd, ours, theirs) {
  const { exitCode, stdout } = await git.run(['merge-base', ours, theirs], { cwd });
  return exitCode === 0 ? stdout.trim() : null;
}

/** Counted anew, not with the code that is judged: what the target gained must be in the result. */
function lostItems(path, base, ours, theirs, result) {
  const [was, now, other, after] = [base, ours, theirs, result].map((text) => count(path, text));
  return [...now.keys()].filter((item) => {
    const before = was.get(item) ?? 0;
    const removed = Math.max(0, before - (other.get(item) ?? 0));
    return now.get(item) > before && (after.get(item) ?? 0) < now.get(item) - removed;
  });
}

function count(path, text) {
  const items = path.endsWith('.json') ? jsonItems(text) : null;
  const counts = new Map();
  const lines = items ?? text.split('\n').map((line) => line.trim().replace(/,$/, ''));
  for (const item of lines.filter((line) => line !== '')) {
    counts.set(item, (counts.get(item) ?? 0) + 1);
  }
  return counts;
}

function jsonItems(text) {
  try {
    return flatten(JSON.parse(text === '' ? '{}' : text), '');
  } catch {
    return null;
  }
}

function flatten(value, path) {
  if (typeof value !== 'object' || value === null) return [`${path} = ${JSON.stringify(value)}`];
  if (Array.isArray(value)) return value.map((item) => `${path}[] = ${JSON.stringify(item)}`);
  return Object.entries(value).flatMap(([key, member]) => flatten(member, `${path}/${key}`));
}

function classOf(path) {
  return path.endsWith('package.json') ? 'package.json' : kindOf(path);
}

function kindOf(path) {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /\./.test(name.slice(1)) ? `*.${name.slice(name.lastIndexOf('.') + 1)}` : name;
}

function print({ merges, clean, clean_same, settled, settled_same, rungs, files, ...rest }) {
  const share = (part, all) => (all === 0 ? '-' : `${((100 * part) / all).toFixed(1)} %`);
  const conflicts = merges - clean;
  const row = (what, plain, ladder) => [what, String(plain), String(ladder)];
  console.log(
    tableText(
      ['', 'plain git', 'ladder'],
      [
        row('merges of two lines', merges, merges),
        row('merged without a person', clean, clean + settled),
        row('  share', share(clean, merges), share(clean + settled, merges)),
        row('  of those in conflict', share(0, conflicts), share(settled, conflicts)),
        row('the tree people committed', clean_same, clean_same + settled_same),
        row('files settled', 0, files.settled),
        row('  as people committed them', '-', share(files.same, files.settled)),
        row('silent losses', 0, rest.silent_losses.length),
      ],
    ),
  );
  console.log(`files by rung: ${listOf(rungs)}; left to people: ${listOf(rest.left)}`);
  const classes = Object.entries(rest.alone).sort((a, b) => b[1].conflicts - a[1].conflicts);
  if (classes.length > 0) {
    console.log('\nfiles of the merges left to people, each on its own:');
    const rows = classes
      .slice(0, 12)
      .map(([name, { conflicts: all, settled: some, same }]) => [
        name,
        all,
        some,
        share(some, all),
        share(same, some),
      ]);
    console.log(tableText(['', 'in conflict', 'settled', 'share', 'as people did'], rows));
  }
  console.log(`processor time: ${rest.cpu_ms} ms in this process`);
  for (const loss of rest.silent_losses) console.log(`lost: ${JSON.stringify(loss)}`);
}

function listOf(counts) {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  return entries.map(([name, number]) => `${name} ${number}`).join(', ') || 'none';
}

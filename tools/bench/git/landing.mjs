// 100 candidates landed without checks on a repository of 27,000 files, by the merge queue of the built core,
// beside `git merge` in a checkout and the same through simple-git.
//   --repository PATH   a clone of your own instead of the made-up one; it is cloned and left alone
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { core } from '../lib/core.mjs';
import { git, importCommits, makeRepository, scratchFolder } from '../lib/repository.mjs';
import { tableText } from '../lib/table.mjs';

/** As the packages have it. */
const { simpleGit } = createRequire(
  new URL('../../../packages/executor-core/package.json', import.meta.url),
)('simple-git');
const CANDIDATES = 100;
/** Merges in a checkout that are timed: they are slow and all alike. */
const SAMPLE = 10;
const FOLDERS = 675;
const FILES = 40;
const REF = 'refs/parallel/bench/_integration';
const GATES = { totalMs: 2500, eachMs: 20, ratio: 10 };

/** Resolves with the number of gates that were missed. */
export async function benchLanding(words) {
  const folder = scratchFolder('bench');
  try {
    const own = words.includes('--repository') ? words[words.indexOf('--repository') + 1] : null;
    const root = own === null ? madeUp(folder) : cloneOf(own, folder);
    const files = git(root, 'ls-files').split('\n');
    const apart = makeCandidates(root, 'apart', (at) => files[(at * 97) % files.length], addEnd);
    const first = files.find((path) => lines(root, path) > 4 * CANDIDATES);
    const near = first === undefined ? [] : makeCandidates(root, 'near', () => first, insertAt);
    const rows = [];
    rows.push(['merge queue, files apart', ...(await landAll(root, apart))]);
    if (near.length > 0) rows.push(['merge queue, one file', ...(await landAll(root, near))]);
    const plain = inCheckout(root, apart);
    rows.push(['git merge in a checkout', SAMPLE, plain.total, plain.each]);
    const simple = await throughSimpleGit(root, apart);
    rows.push(['simple-git in a checkout', SAMPLE, simple.total, simple.each]);
    return print(files.length, rows, plain.each);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(files, rows, gitMs) {
  console.log(`\nLanding ${CANDIDATES} candidates on ${files} files`);
  const shown = rows.map(([name, count, total, each]) => [
    name,
    count,
    total.toFixed(0),
    each.toFixed(1),
    `${(gitMs / each).toFixed(1)} x`,
  ]);
  console.log(tableText(['', 'landed', 'ms', 'ms each', 'beside git merge'], shown));
  let missed = 0;
  for (const [name, , total, each] of rows.filter(([, count]) => count === CANDIDATES)) {
    const ratio = gitMs / each;
    const isApart = name.endsWith('apart');
    const quick = total <= GATES.totalMs && each <= GATES.eachMs;
    const met = ratio >= GATES.ratio && (quick || !isApart);
    if (!met) missed += 1;
    const times = isApart ? `${GATES.totalMs} ms, ${GATES.eachMs} ms each, ` : '';
    const asked = `${times}${GATES.ratio} x git merge`;
    console.log(`${met ? 'met' : 'MISSED'}: ${name}, asked ${asked}`);
  }
  return missed;
}

async function landAll(root, items) {
  const { gitAdapter } = core('adapters/simple-git');
  const { drainQueue } = core('merge/merge-queue');
  git(root, 'update-ref', REF, 'refs/heads/main');
  const none = () => Promise.resolve();
  const since = performance.now();
  const { landed } = await drainQueue(gitAdapter(), {
    root,
    ref: REF,
    queue: items,
    verify: null,
    ladder: {},
    checkFences: () => Promise.resolve(() => true),
    conflictPolicy: 'wait',
    onMerging: none,
    onLanded: none,
    onRejected: none,
  });
  const total = performance.now() - since;
  if (landed.length !== items.length) throw new Error(`Only ${landed.length} landed.`);
  return [landed.length, total, total / landed.length];
}

function inCheckout(root, items) {
  git(root, 'reset', '--quiet', '--hard', 'refs/heads/main');
  git(root, 'checkout', '--quiet', '--detach');
  const since = performance.now();
  for (const { candidate } of items.slice(0, SAMPLE)) {
    git(root, 'merge', '--quiet', '--no-ff', '--no-edit', candidate.commit);
  }
  const total = performance.now() - since;
  return { total, each: total / SAMPLE };
}

async function throughSimpleGit(root, items) {
  git(root, 'checkout', '--quiet', '--detach', 'refs/heads/main');
  const simple = simpleGit(root);
  const since = performance.now();
  for (const { candidate } of items.slice(0, SAMPLE)) {
    await simple.merge(['--no-ff', '--no-edit', candidate.commit]);
  }
  const total = performance.now() - since;
  return { total, each: total / SAMPLE };
}

function makeCandidates(root, kind, pathOf, edit) {
  const { commitMessage } = core('merge/trailers');
  const main = git(root, 'rev-parse', 'refs/heads/main');
  const commits = Array.from({ length: CANDIDATES }, (_, at) => {
    const path = pathOf(at);
    const text = edit(readFileSync(join(root, path), 'utf8'), at);
    return { ref: `refs/bench/${kind}/${at}`, from: main, files: [[path, text]] };
  });
  importCommits(root, commits);
  const refs = git(
    root,
    'for-each-ref',
    '--format=%(refname) %(objectname) %(tree)',
    `refs/bench/${kind}`,
  );
  return refs.split('\n').map((line, fence) => {
    const [ref, commit, tree] = line.split(' ');
    const candidate = {
      commit,
      tree,
      base: main,
      ref,
      fence,
      noop: false,
      files: [],
      fileCount: 1,
    };
    const task = `${kind}-${fence}`;
    const note = { run: 'PEXEC-1', task, agent: 'bench', attempt: 1, prompt: null };
    const message = commitMessage({ ...note, candidate: commit });
    return { task, attempt: 1, candidate, message };
  });
}

const addEnd = (text, at) => `${text}\nexport const added${at} = ${at};\n`;

/** Far enough from the others that git merges it without a conflict. */
function insertAt(text, at) {
  const all = text.split('\n');
  all[at * 4 + 1] += ` // ${at}`;
  return `${all.join('\n')}\n`;
}

function madeUp(folder) {
  const root = makeRepository(join(folder, 'repository'), files());
  git(root, 'reset', '--quiet', '--hard');
  return root;
}

function* files() {
  for (let one = 0; one < FOLDERS; one += 1) {
    for (let two = 0; two < FILES; two += 1) {
      yield [`libs/l${one}/src/file${two}.ts`, sourceText(one * FILES + two)];
    }
  }
  yield ['libs/long.ts', Array.from({ length: 500 }, (_, at) => `line(${at});`).join('\n')];
}

function cloneOf(source, folder) {
  const root = join(folder, 'repository');
  execFileSync('git', ['clone', '--quiet', '--shared', source, root]);
  git(root, 'checkout', '--quiet', '-B', 'main');
  git(root, 'config', 'user.name', 'Bench');
  git(root, 'config', 'user.email', 'bench@localhost');
  return root;
}

const sourceText = (at) =>
  Array.from({ length: 12 }, (_, line) => `export const value${at}_${line} = ${line};`).join('\n');
const lines = (root, path) =>
  /\.(?:ts|tsx|js|md)$/.test(path) ? readFileSync(join(root, path), 'utf8').split('\n').length : 0;

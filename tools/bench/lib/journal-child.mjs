// One measurement of journal.mjs in a process of its own; prints one JSON object.
//   write FOLDER EVENTS    a journal of that many events, with its snapshot; prints the bytes
//   limit FOLDER           reads the segments and parses each line: less cannot be done
//   recover FOLDER [all]   what a recovery does; `all`: without the snapshot
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const dist = (path) => require(`../../../packages/executor-core/dist/${path}`);
const [what, dir, more] = process.argv.slice(2);
const TASKS = 1000;
const clock = { now: () => 0, after: () => () => undefined };
const { nodeFileSystem } = dist('adapters/node-file-system.js');
const { openJournal } = dist('store/journal.js');
const { prepareProblem } = dist('schedule/problem.js');
const { foldJournal, snapshotsOf } = dist('run/snapshots.js');
const { planOf } = dist('testing/index.js');
const segments = () => readdirSync(dir).filter((name) => name.endsWith('.log'));

const names = Array.from({ length: TASKS }, (_, n) => `task-${n}`);
const plan = planOf(Object.fromEntries(names.map((name) => [name, {}])));

/** The life of a task, with as much progress as makes up the number. */
function* lives(count) {
  yield { type: 'run:started', at: 0, run: 'PEXEC-1', planFile: null, planDigest: '', base: 'b'.repeat(40), target: null, maxAgents: 4, frontDoor: 'cli', tasks: TASKS, owner: { pid: 1, startTime: '1', bootId: 'b', host: 'h' } }; // prettier-ignore
  const notes = Math.max(1, Math.floor(count / TASKS) - 7);
  for (const [n, task] of names.entries()) {
    const [at, attempt, token] = [n * 100, 1, n + 1];
    const commit = 'c'.repeat(40);
    yield { type: 'task:leasing', at, task };
    yield { type: 'task:leased', at, task, slot: 1, token };
    yield { type: 'task:started', at, task, attempt, slot: 1, base: commit, branch: `agent-1-${task}`, worktree: `/repo/.worktrees/agent-1`, profile: 'codemod' }; // prettier-ignore
    yield { type: 'process:started', at, task, attempt, process: { pid: n, startTime: '12345', bootId: '0f9e8d7c', host: 'box' } }; // prettier-ignore
    for (let note = 0; note < notes; note += 1)
      yield { type: 'task:progress', at: at + note, task, percent: note % 100, note: `wiring route ${note} of the module, then its tests and documentation` }; // prettier-ignore
    yield { type: 'task:queued', at, task, attempt, candidate: { commit, tree: commit, base: commit, ref: `refs/parallel/PEXEC-1/${task}/${token}`, fence: token, noop: false, files: [`src/${task}/index.ts`], fileCount: 1 } }; // prettier-ignore
    yield { type: 'task:merging', at, task, onto: commit, batch: 1 };
    yield { type: 'task:landed', at, task, commit, tree: commit };
  }
}

async function write() {
  const fs = nodeFileSystem();
  const snapshots = snapshotsOf(fs, dir, plan);
  const journal = await openJournal({ fs, clock, dir, writer: '1.a', onSegment: snapshots.take });
  let batch = [];
  let events = 0;
  for (const event of lives(Number(more))) {
    batch.push(event);
    events += 1;
    if (batch.length === 500) await journal.append(batch.splice(0));
  }
  await journal.append(batch);
  await snapshots.settled();
  await journal.close();
  const bytes = segments().reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  return { events, bytes, segments: segments().length };
}

function limit() {
  let events = 0;
  for (const name of segments()) {
    for (const line of readFileSync(join(dir, name), 'utf8').split('\n')) {
      if (line !== '' && JSON.parse(line.slice(10)).event.type !== undefined) events += 1;
    }
  }
  return { events };
}

async function recover() {
  const fs = nodeFileSystem();
  const journal = await openJournal({ fs, clock, dir, writer: '2.b' });
  const { state } = await foldJournal(fs, dir, prepareProblem(plan), journal);
  await journal.close();
  return { landed: state.settled };
}

if (more === 'all') renameSync(join(dir, 'snapshot.json'), join(dir, 'snapshot.away'));
const before = process.cpuUsage();
const result = await { write, limit, recover }[what]();
const { user, system } = process.cpuUsage(before);
if (more === 'all') renameSync(join(dir, 'snapshot.away'), join(dir, 'snapshot.json'));
console.log(JSON.stringify({ ...result, cpuMs: (user + system) / 1000 }));

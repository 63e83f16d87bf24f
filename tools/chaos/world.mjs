import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkModules } from '../demo/make-workspace.mjs';

/** Bytes that a person has in the checkout and that nobody may touch. */
const PRECIOUS = 'half a thought\n';

/**
 * What an agent does: logs its start, leaves a file that only this attempt has, thinks, finishes. The log
 * is its own, outside everything the product knows of; one `write(2)` of a short line is not torn.
 */
const AGENT = `#!/bin/sh
set -e
log() { printf '%s %s %s %s\\n' "$1" "$PARALLEL_TASK_ID" "$$" "$(date +%s%3N)" >> "$CHAOS_LOG"; }
log start
mkdir -p "out/$PARALLEL_TASK_ID"
sleep "0.$(($$ % 4))"
echo "$$" > "out/$PARALLEL_TASK_ID/half-$$"
log half
sleep "$(($$ % (CHAOS_THINK + 1))).$(($$ % 7))"
echo "done by $PARALLEL_TASK_ID" > "out/$PARALLEL_TASK_ID/result"
log end
`;

/**
 * A repository with `files` files and a plan of `tasks` tasks, each with a dependency now and then, and a
 * file of a person that is not committed.
 */
export function makeWorld(root, { files, tasks, think = 0, nx = false }) {
  mkdirSync(root, { recursive: true });
  if (nx) makeNxWorkspace(root);
  const git = gitIn(root);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Chaos');
  git('config', 'user.email', 'chaos@example.com');
  for (let at = 0; at < files; at += 1) {
    if (at % 100 === 0) mkdirSync(join(root, `src/part-${at / 100}`), { recursive: true });
    writeFileSync(join(root, `src/part-${Math.floor(at / 100)}/file-${at}.ts`), content(at));
  }
  writeFileSync(logOf(root), '');
  writeFileSync(join(root, '.gitignore'), 'node_modules\n.nx/\n.parallel/\n.worktrees/\n');
  writeFileSync(join(root, 'agent.sh'), AGENT);
  writeFileSync(join(root, 'parallel.yaml'), planText(tasks, think));
  git('add', '.');
  git('commit', '--quiet', '--message', 'start');
  writeFileSync(join(root, 'precious.txt'), PRECIOUS);
  return openWorld(root, tasks);
}

/** A world that was made before, or a copy of one. */
export function openWorld(root, tasks) {
  return {
    root,
    git: gitIn(root),
    tasks: Array.from({ length: tasks }, (_, at) => taskName(at)),
    log: () => readFileSync(logOf(root), 'utf8').trim().split('\n').filter(Boolean).map(parseLine),
    isPreciousThere: () => readFileSync(join(root, 'precious.txt'), 'utf8') === PRECIOUS,
    resultOf: (task) => `done by ${task}\n`,
  };
}

/** Of the agents, beside the repository. */
function logOf(root) {
  return join(root, '..', 'agents.log');
}

function makeNxWorkspace(root) {
  const write = (name, content) => writeFileSync(join(root, name), JSON.stringify(content));
  write('package.json', { name: 'chaos', private: true, nx: {} });
  const plugins = ['@parallel-executor/nx'];
  write('nx.json', { analytics: false, neverConnectToCloud: true, defaultBase: 'main', plugins });
  linkModules(join(root, 'node_modules'));
}

export function gitIn(root) {
  return (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe', maxBuffer: 1e9 });
}

function content(at) {
  return `export const value${at} = ${at};\n${`// line of file ${at}\n`.repeat(at % 30)}`;
}

function taskName(at) {
  return `task-${at + 1}`;
}

function planText(tasks, think) {
  const entry = (at) => {
    const name = taskName(at);
    const after = at % 5 === 4 ? `, depends_on: [${taskName(at - 4)}]` : '';
    return `  ${name}: { writes: ['out/${name}/**']${after} }`;
  };
  return `parallel_executor:
  default_agent: worker
  retry_policy: { max_retries: 3, backoff: none }
agents:
  worker: { adapter: command, command: 'CHAOS_LOG="$PARALLEL_ROOT/../agents.log" CHAOS_THINK=${think} sh agent.sh' }
tasks:
${Array.from({ length: tasks }, (_, at) => entry(at)).join('\n')}
`;
}

function parseLine(line) {
  const [what, task, pid, at] = line.split(' ');
  return { what, task, pid, at: Number(at) };
}

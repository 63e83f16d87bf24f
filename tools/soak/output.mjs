/**
 * Soak: one agent prints gigabytes without a line end that are no valid UTF-8. Prints the peak memory of
 * the run's process and what is kept on disk; exit 1 when either is out of bounds or the end is lost.
 * Usage: npm run soak:output -- [--gb 10]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

const MIB = 1024 * 1024;
/** Node itself takes some 100 MB of it. */
const MOST_RSS = 400 * MIB;
/** The head, the rest twice, the tail; and journal, prompt and report. */
const MOST_ON_DISK = 26 * MIB;
const END = 'the very end';
const SAMPLE_MS = 100;

const at = process.argv.indexOf('--gb');
const bytes = Math.round((at === -1 ? 10 : Number(process.argv[at + 1])) * 1024 * MIB);
const cli = fileURLToPath(new URL('../../packages/cli/bin/parallel-cli.js', import.meta.url));

function makeRepository(root) {
  const git = (...args) => execFileSync('git', args, { cwd: root });
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Soak');
  git('config', 'user.email', 'soak@example.com');
  // Three bytes begin a character that never ends, the others begin none.
  const say = `head -c ${bytes} /dev/zero | tr '\\\\0' '\\\\377'; printf '\\\\360\\\\237\\\\230${END}'; echo x > done`;
  const plan = [
    'parallel_executor: { default_agent: loud, timeout: 2h }',
    `agents: { loud: { adapter: command, command: "${say}" } }`,
    'tasks: { talk: { writes: [done] } }',
  ];
  writeFileSync(join(root, 'parallel.yaml'), `${plan.join('\n')}\n`);
  git('add', '.');
  git('commit', '--quiet', '--message', 'plan');
}

/** High-water mark of the resident memory of a process, in bytes; 0 when it is gone. */
function peakRss(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => {
      try {
        return sum + statSync(join(entry.parentPath, entry.name)).size;
      } catch {
        return sum;
      }
    }, 0);
}

async function soak(root) {
  const state = join(root, '.parallel');
  const since = performance.now();
  const child = spawn(process.execPath, [cli, 'run', '--progress=none'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let [rss, disk] = [0, 0];
  const timer = setInterval(() => {
    rss = Math.max(rss, peakRss(child.pid));
    try {
      disk = Math.max(disk, sizeOf(state));
    } catch {
      // It is not there yet, or changes right now.
    }
  }, SAMPLE_MS);
  const [code] = await once(child, 'close');
  clearInterval(timer);
  const run = readFileSync(join(state, 'current'), 'utf8').trim();
  const log = readFileSync(join(state, 'runs', run, 'tasks/talk/attempt-1/transcript.log'));
  const kept = sizeOf(state);
  return {
    code,
    seconds: (performance.now() - since) / 1000,
    rss,
    disk: Math.max(disk, kept),
    kept,
    hasEnd: log.subarray(-200).includes(END),
  };
}

const root = realpathSync(mkdtempSync(join(tmpdir(), 'output-soak-')));
try {
  makeRepository(root);
  const { code, seconds, rss, disk, kept, hasEnd } = await soak(root);
  const mib = (value) => `${(value / MIB).toFixed(1)} MiB`;
  console.log(`printed            ${mib(bytes)} in ${seconds.toFixed(1)} s`);
  console.log(`peak memory        ${mib(rss)} (at most ${mib(MOST_RSS)})`);
  console.log(
    `kept on disk       ${mib(kept)}, never more than ${mib(disk)} (at most ${mib(MOST_ON_DISK)})`,
  );
  const problems = [
    code === 0 ? null : `the run ended with ${code}`,
    rss > 0 && rss <= MOST_RSS ? null : 'too much memory',
    disk <= MOST_ON_DISK ? null : 'too much on disk',
    hasEnd ? null : 'the end of the output is lost',
  ].filter((problem) => problem !== null);
  for (const problem of problems) console.error(`failed: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

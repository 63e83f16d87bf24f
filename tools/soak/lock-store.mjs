/** What the lock soaks share: the built lease store, options, children that answer by message. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const core = (path) =>
  createRequire(import.meta.url)(`../../packages/executor-core/dist/${path}.js`);

/** A lease store of this process over `locksDir`, on the real adapters. */
export function openStore(locksDir, more = {}) {
  const processes = core('adapters/node-processes').nodeProcesses();
  return core('locks/lease-store').createLeaseStore({
    fs: core('adapters/node-file-system').nodeFileSystem(),
    quick: core('adapters/node-quick-files').nodeQuickFiles(),
    channel: core('adapters/local-channel').localChannel(),
    clock: core('adapters/node-clock').nodeClock(),
    mutex: core('adapters/lockfile-mutex').lockfileMutex(processes),
    processes,
    locksDir,
    ...more,
  });
}

/** A whole request, for the globs given. */
export function requestFor(task, { reads = [], writes = [] }) {
  return {
    run: 'PEXEC-1',
    task,
    access: { reads, writes },
    resources: [],
    policy: 'wait',
    priority: 50,
    slots: [],
  };
}

/** The number after `--name`, or `fallback`. */
export function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
}

export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Milliseconds of a clock all processes of the machine share. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts `count` children of `file`; resolves when each has said that it is ready. */
export async function startAll(file, count, argsOf) {
  const children = Array.from({ length: count }, (_, at) => fork(file, argsOf(at)));
  await Promise.all(children.map((child) => once(child, 'message')));
  return children;
}

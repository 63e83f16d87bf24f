import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Finished, Rig } from './rig';
import { makeRig } from './rig';

const REPOSITORY = resolve(__dirname, '../..');
const OURS = ['@parallel-executor', 'parallel', 'parallel-cli'];

/** A real Nx workspace with the built plugin. */
export interface NxWorkspace extends Rig {
  /** Starts `nx` with these words. */
  nx(...args: string[]): { readonly child: ChildProcess; readonly finished: Promise<Finished> };
  /** Lines that agents wrote to `$PARALLEL_ROOT/.git/log`, in order. */
  log(): readonly string[];
  /** Records of the journal of the current run: who wrote it, and the event. */
  records(): readonly JournalLine[];
}

export interface JournalLine {
  readonly by: string;
  readonly event: { readonly type: string; readonly task?: string };
}

/** A workspace of one project with this plan, committed. */
export async function makeNxWorkspace(plan: string): Promise<NxWorkspace> {
  const rig = await makeRig();
  const { root } = rig;
  const nxJson = { analytics: false, neverConnectToCloud: true, defaultBase: 'main' };
  await rig.write({ '.gitignore': 'node_modules\n.nx/\n' });
  await rig.repository.commit(
    {
      'package.json': JSON.stringify({ name: 'shop', private: true, nx: {} }),
      'nx.json': JSON.stringify({ ...nxJson, plugins: ['@parallel-executor/nx'] }),
      'parallel.yaml': plan,
    },
    'plan',
  );
  linkModules(join(root, 'node_modules'));
  const running = new Set<ChildProcess>();
  const file = (path: string): string => join(root, path);
  return {
    ...rig,
    nx(...args) {
      const started = startNx(root, args);
      running.add(started.child);
      return started;
    },
    log: () => (rig.has('.git/log') ? linesOf(readFileSync(file('.git/log'), 'utf8')) : []),
    records() {
      const run = readFileSync(file('.parallel/current'), 'utf8').trim();
      const text = readFileSync(file(`.parallel/runs/${run}/journal-000001.log`), 'utf8');
      return linesOf(text)
        .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Partial<JournalLine>)
        .flatMap(({ by, event }) =>
          by === undefined || event === undefined ? [] : [{ by, event }],
        );
    },
    async done() {
      for (const child of running) child.kill('SIGKILL');
      await rig.done();
    },
  };
}

/** Everything the repository has, and the packages of this checkout under their names. */
function linkModules(target: string): void {
  mkdirSync(join(target, '@parallel-executor'), { recursive: true });
  const source = join(REPOSITORY, 'node_modules');
  for (const entry of readdirSync(source).filter((name) => !OURS.includes(name))) {
    symlinkSync(join(source, entry), join(target, entry));
  }
  const packages = join(REPOSITORY, 'packages');
  symlinkSync(join(packages, 'executor-core'), join(target, '@parallel-executor/core'));
  symlinkSync(join(packages, 'nx-plugin'), join(target, '@parallel-executor/nx'));
}

function startNx(root: string, args: readonly string[]): ReturnType<NxWorkspace['nx']> {
  const home = join(root, '..', 'home');
  mkdirSync(home, { recursive: true });
  const own = { HOME: home, NX_DAEMON: 'false', NX_TUI: 'false', CI: 'true', NO_COLOR: '1' };
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:PARALLEL|NX)_/.test(name));
  const child = spawn(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), ...args], {
    cwd: root,
    env: { ...Object.fromEntries(kept), ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((done, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      done({ code: code ?? 128, stdout, stderr });
    });
  });
  return { child, finished };
}

function linesOf(text: string): readonly string[] {
  return text.trim().split('\n').filter(Boolean);
}

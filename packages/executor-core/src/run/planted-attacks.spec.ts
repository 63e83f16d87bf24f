import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunEvent } from '../model/event';
import type { PlanDraft } from '../testing/plan';
import { PLANTED_ATTACKS, PREAMBLE } from '../testing/planted-attacks';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

/** Enough of a repository for every way in which we touch files. */
const FILES = {
  'shared.txt': 'top\n1\n2\n3\n4\n5\n6\n7\n8\nbottom\n',
  'base.txt': 'base\n',
  'lib/a.txt': 'a\n',
  'conf/keep.txt': 'keep\n',
  '.gitignore': '/conf/.env\n',
};

/**
 * `attack` fails once, so that its work is salvaged and restored, then is done. `rival` changes the same
 * file from the same base, so that git merges contents. `after` starts from what both have landed.
 */
function planOf(script: string, outside: string): PlanDraft {
  const env = { OUT: outside, CANARY: join(outside, 'canary') };
  const planted = `${outside}/planted`;
  const begin = `[ "$PARALLEL_ATTEMPT" = 1 ] || touch '${planted}'`;
  const end = `[ "$PARALLEL_ATTEMPT" != 1 ]`;
  const wait = `n=0; while [ ! -e '${planted}' ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done`;
  const shell = (name: string, command: string) => ({ name, command: ['/bin/sh', '-c', command] });
  return {
    settings: {
      maxAgents: 2,
      conflictPolicy: 'auto_merge',
      verify: ['cat shared.txt'],
      setup: { copy: ['conf/.env'], link: [], run: [] },
      retry: { maxRetries: 1, backoff: 'none', baseMs: 1, maxMs: 1 },
    },
    agents: [
      shell('attacker', `${begin}\n${PREAMBLE}\n( ${script}\n)\n${end}`),
      shell('rival', `${wait}; sed -i 's/^top$/TOP/' shared.txt; echo b >> lib/a.txt`),
      shell('after', 'echo after >> base.txt; mkdir -p lib; echo c > lib/after.txt || exit 0'),
    ],
    tasks: [
      { id: 'attack', profile: 'attacker', writes: ['**'], env, verify: ['true'] },
      { id: 'rival', profile: 'rival', writes: ['**'], verify: ['true'] },
      { id: 'after', profile: 'after', writes: ['**'], dependsOn: ['rival'] },
    ],
  };
}

/** Real git on a machine that may be busy. */
jest.setTimeout(60_000);

describe('what a hostile agent plants', () => {
  let rig: RunRig;
  let outside: string;

  beforeEach(async () => {
    rig = await makeRunRig(FILES);
    outside = join(dirname(rig.root), 'outside');
    await mkdir(join(outside, 'target'), { recursive: true });
    await rig.repository.write({ 'conf/.env': 'A=1\n' });
  });
  afterEach(() => rig.done());

  it.each(Object.entries(PLANTED_ATTACKS))(
    'has no effect outside its worktree: %s',
    async (_name, script) => {
      const head = await readFile(join(rig.root, '.git', 'HEAD'), 'utf8');
      const { events } = await rig.run(planOf(script, outside));
      expect(planted(events)).toBe(true);
      expect(await readdir(outside)).not.toContain('canary');
      expect(await readdir(join(outside, 'target'))).toEqual([]);
      expect(await readFile(join(rig.root, '.git', 'HEAD'), 'utf8')).toBe(head);
      expect(events.some(({ type }) => type === 'run:finished')).toBe(true);
      expect(landed(events)).toEqual(expect.arrayContaining(['rival', 'after']));
    },
  );
});

function landed(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'task:landed' ? [event.task] : []));
}

/** The attack was in place: its script ended as it should, twice or with a verdict of ours. */
function planted(events: readonly RunEvent[]): boolean {
  return events.some(
    (event) =>
      event.type === 'attempt:failed' &&
      event.task === 'attack' &&
      event.failure.kind === 'agent-exit' &&
      event.failure.code === 1 &&
      event.failure.tail === '',
  );
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import { viewOf } from '../report/fold';
import { describeEvent } from '../report/messages';
import type { PlanDraft } from '../testing/plan';
import { planOf } from '../testing/plan';
import { makeRunRig } from '../testing/run-rig';
import { secretSamples } from '../testing/secret-samples';

const SAMPLES = secretSamples();
const NAMED = 'value-that-only-its-name-tells';
const LISTED = 'value-that-only-the-plan-tells';
const SECRETS = [...SAMPLES.map(({ secret }) => secret), NAMED, LISTED];
/** What the person wrote, for the agent and for a later `resume`, and the work itself: they stay as they are. */
const INPUT = /plan\.json$|prompt\.md$|changes\.patch$/;

/** Every file below `folder`, by path, but those a person wrote. */
async function filesBelow(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !INPUT.test(path));
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)),
  );
}

it('lets no secret of any format into journal, logs, feedback, results, messages or commits', async () => {
  const rig = await makeRunRig({
    'a.txt': 'a\n',
    'say.txt': SAMPLES.map(({ line }) => line).join('\n'),
  });
  try {
    const say = 'cat say.txt; cat say.txt >&2; echo "$MY_TOKEN $PLAIN"';
    const shell = (name: string, command: string) => ({ name, command });
    const env = { MY_TOKEN: NAMED, PLAIN: LISTED };
    const lines = SAMPLES.map(({ line }) => line.replaceAll('\n', ' '));
    const draft: PlanDraft = {
      settings: {
        healer: 'healer',
        secrets: ['PLAIN'],
        retry: { maxRetries: 1, backoff: 'none', baseMs: 1, maxMs: 1 },
      },
      agents: [
        shell('failing', `mkdir -p failing; echo x >> failing/x; ${say}; exit 1`),
        shell('checked', 'mkdir -p checked; echo x >> checked/x'),
        shell('noop', 'cat say.txt > "$PARALLEL_NOOP_FILE"'),
        shell('named', 'mkdir -p named; echo x > "named/$(head -n 1 say.txt | cut -d" " -f2)"'),
        shell('healer', say),
      ],
      tasks: [
        { id: 'failing', profile: 'failing', env },
        { id: 'checked', profile: 'checked', env, verify: [`${say}; exit 1`] },
        { id: 'noop', profile: 'noop', noop: 'refuse' },
        { id: 'named', profile: 'named', prompt: SAMPLES[0]?.line ?? '' },
        // The subject of a commit has room for so much; each task has a secret of its own there.
        ...lines.slice(0, 3).map((line, n) => ({
          id: `subject-${n}`,
          profile: 'named',
          prompt: line,
          writes: ['named/**'],
        })),
      ],
    };
    const { result, events } = await rig.run(draft);
    const view = viewOf(planOf(draft), events);
    const said = events.map((event: RunEvent) => describeEvent(event, () => view));
    const commits = await rig.git('log', '--all', '--format=%B');
    const sinks = new Map([
      ...(await filesBelow(join(rig.root, '.parallel'))),
      ['events', JSON.stringify(events)],
      ['result', JSON.stringify(result)],
      ['messages', said.join('\n')],
      ['commits', commits],
    ]);
    const names = [...sinks.keys()].join('\n');
    for (const part of [
      'journal-',
      'transcript.log',
      'feedback.md',
      'checks.log',
      'healer.log',
      'result.json',
    ])
      expect(names).toContain(part);
    const leaks = [...sinks].flatMap(([name, text]) =>
      SECRETS.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${name}`),
    );
    expect(leaks).toEqual([]);
    expect([...sinks.values()].join('')).toContain('[redacted]');
    expect(commits).toContain('[redacted]');
    // The work itself is the agent's, and lands as it is.
    expect(await rig.git('show', 'main:say.txt')).toContain(SAMPLES[0]?.secret);
  } finally {
    await rig.done();
  }
}, 60_000);

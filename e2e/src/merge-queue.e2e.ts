import type { RunEvent } from '@parallel-executor/core';
import type { NxWorkspace } from './nx-workspace';
import { makeNxWorkspace } from './nx-workspace';
import type { Finished, Rig } from './rig';
import { makeRig } from './rig';

function eventsOf({ stdout }: Finished): readonly RunEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as RunEvent);
}

function tasksOf(events: readonly RunEvent[], type: RunEvent['type']): readonly string[] {
  return events.flatMap((event) => (event.type === type && 'task' in event ? [event.task] : []));
}

const firstParents = async (rig: Rig, since: string): Promise<readonly string[]> =>
  (await rig.git('log', '--first-parent', '--reverse', '--format=%H', `${since}..main`)).split(
    '\n',
  );

describe('a queue with bad candidates', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await makeRig();
  });
  afterEach(() => rig.done());

  it('keeps every commit of the target green, and sends the culprits back with the log', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    await rig.repository.commit(
      {
        'worker.sh': `mkdir -p src
case $PARALLEL_TASK_ID in
  d) echo bad > src/d ;;
  g) if grep -q "found bad" "$PARALLEL_FEEDBACK_FILE"; then echo good > src/g; else echo bad > src/g; fi ;;
  *) echo good > src/$PARALLEL_TASK_ID ;;
esac`,
        'check.sh': 'if grep -r bad src; then echo found bad; exit 1; fi',
        'parallel.yaml': `parallel_executor:
  default_agent: worker
  retry_policy: { max_retries: 1, backoff: none }
  verify: ['sh check.sh']
  verify_slots: 3
agents: { worker: { adapter: command, command: sh worker.sh } }
tasks:
${names.map((name) => `  ${name}: { prompt: Write it., writes: [src/${name}] }`).join('\n')}
`,
      },
      'plan',
    );
    const base = await rig.git('rev-parse', 'main');
    const finished = await rig.cli('run', '--progress=json');
    expect(finished.code).toBe(1);
    const events = eventsOf(finished);
    expect([...tasksOf(events, 'task:landed')].sort()).toEqual(
      names.filter((name) => name !== 'd'),
    );
    expect(tasksOf(events, 'task:failed')).toEqual(['d']);
    const commits = await firstParents(rig, base);
    expect(commits).toHaveLength(9);
    for (const commit of commits) {
      const found = await rig.git('grep', '-h', '-e', 'good', '-e', 'bad', commit, '--', 'src');
      expect(new Set(found.split('\n'))).toEqual(new Set(['good']));
    }
    expect(rig.worktrees()).toEqual([]);
  });

  it('looks twice before it blames a candidate for a check that is flaky', async () => {
    await rig.repository.commit(
      {
        'check.sh': `note="$(git rev-parse --git-common-dir)/was-here"
if [ ! -e "$note" ]; then touch "$note"; echo the network hiccuped; exit 1; fi`,
        'parallel.yaml': `parallel_executor: { default_agent: worker, verify: ['sh check.sh'] }
agents: { worker: { adapter: command, command: echo x > a } }
tasks: { a: { prompt: Write a., writes: [a] } }
`,
      },
      'plan',
    );
    const finished = await rig.cli('run', '--progress=json');
    expect(finished.code).toBe(0);
    expect(tasksOf(eventsOf(finished), 'check:flaked')).toEqual(['a']);
    expect(tasksOf(eventsOf(finished), 'task:started')).toEqual(['a']);
    expect(await rig.git('show', 'main:a')).toBe('x');
  });
});

describe('an Nx workspace whose plan does not say what is checked', () => {
  let rig: NxWorkspace;
  afterEach(() => rig.done());

  it('has the affected projects checked, each lane by itself', async () => {
    rig = await makeNxWorkspace(`parallel_executor:
  default_agent: worker
  retry_policy: { max_retries: 0 }
  setup: { link: [node_modules] }
agents: { worker: { adapter: command, command: 'echo "module.exports = \\"$PARALLEL_TASK_ID\\"" > libs/$PARALLEL_TASK_ID/index.js' } }
tasks:
  one: { prompt: Change one., writes: [libs/one/**], reads: [libs/one/**] }
  two: { prompt: Change two., writes: [libs/two/**], reads: [libs/two/**] }
  bad: { prompt: Change bad., writes: [libs/bad/**], reads: [libs/bad/**] }
`);
    const project = (name: string): string =>
      JSON.stringify({
        name,
        targets: { test: { command: `node libs/${name}/test.js ${name}`, cache: false } },
      });
    const test = `const value = require('./index');
require('node:fs').appendFileSync(process.env.CHECKED, process.argv[2] + '\\n');
if (value === 'bad') { console.error('bad is bad'); process.exit(1); }
`;
    const files = ['one', 'two', 'bad'].flatMap((name) => [
      [`libs/${name}/project.json`, project(name)],
      [`libs/${name}/test.js`, test.replace('process.env.CHECKED', `'${rig.root}/.git/checked'`)],
      [`libs/${name}/index.js`, 'module.exports = 0;\n'],
    ]);
    await rig.repository.commit(Object.fromEntries(files) as Record<string, string>, 'projects');
    const finished = await rig.cli('run', '--progress=json');
    const events = eventsOf(finished);
    expect([...tasksOf(events, 'task:landed')].sort()).toEqual(['one', 'two']);
    expect(tasksOf(events, 'task:failed')).toEqual(['bad']);
    const failed = events.find((event) => event.type === 'attempt:failed');
    expect(JSON.stringify(failed)).toContain('bad is bad');
    // Each by itself: nobody verified a tree in which two of them were changed.
    const batches = events.flatMap((event) => (event.type === 'task:merging' ? [event.batch] : []));
    expect(batches).toEqual([1, 1, 1]);
    expect(await rig.git('show', 'main:libs/bad/index.js')).toBe('module.exports = 0;');
    expect(finished.code).toBe(1);
  });
});

import type { Rig } from './rig';
import { makeRig } from './rig';

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(async () => {
  await rig.done();
});

const AGENT = 'agents: { a: { adapter: command, command: "true" } }\n';

/** What is wrong, the plan, and where the (first) error is. */
const BAD_PLANS: readonly (readonly [string, string, string])[] = [
  ['a cycle', 'graph: { one: [two], two: [three], three: [one] }\n', '1:'],
  ['an unknown dependency', 'graph: { one: [nobody] }\n', '1:16'],
  ['an unknown agent', `${AGENT}tasks:\n  one: { agent: nobody }\n`, '3:17'],
  ['an unknown default agent', `${AGENT}parallel_executor: { default_agent: nobody }\n`, '2:37'],
  ['an unknown key', 'parallel_executor:\n  max_agent: 3\n', '2:3'],
  ['a bad duration', 'parallel_executor:\n  lock_timeout: 30 parsecs\n', '2:17'],
  [
    'a path that leads out',
    `${AGENT}tasks:\n  one: { agent: a, writes: ["../other/**"] }\n`,
    '3:29',
  ],
  ['an absolute path', `${AGENT}tasks:\n  one: { agent: a, writes: [/etc/passwd] }\n`, '3:29'],
  ['shell text in an id', 'graph:\n  "a;rm -rf /": []\n', '2:3'],
  ['shell text in a glob', `${AGENT}tasks:\n  one: { agent: a, writes: ["$(id)/**"] }\n`, '3:29'],
  ['__proto__', 'graph:\n  __proto__: []\n', '2:3'],
  ['duplicate keys', 'graph:\n  one: []\n  one: []\n', '3:3'],
  ['broken YAML', 'graph: { one: [\n', ''],
  ['too many agents', 'parallel_executor:\n  max_agents: 26\n', '2:15'],
  ['an empty file', '', '1:1'],
  ['a list instead of a mapping', '- one\n- two\n', '1:1'],
  ['a prompt without an agent', 'tasks:\n  one: { prompt: do it }\n', '2:'],
  ['an unknown phase', `${AGENT}phases: [p]\ntasks:\n  one: { agent: a, phase: q }\n`, '4:'],
  ['a merge strategy that cannot be', 'parallel_executor:\n  merge_strategy: octopus\n', '2:19'],
];

describe('a bad plan', () => {
  it.each(BAD_PLANS)(
    'with %s is refused with its place, and nothing is created',
    async (_what, plan, place) => {
      await rig.write({ 'parallel.yaml': plan });
      for (const command of ['run', 'plan']) {
        const { code, stdout, stderr } = await rig.cli(command);
        expect({ command, code, stdout }).toEqual({ command, code: 2, stdout: '' });
        expect(stderr).toMatch(/parallel\.yaml:\d+:\d+: error/);
        expect(stderr).toContain(`parallel.yaml:${place}`);
        expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
      }
      expect(rig.has('.parallel') || rig.has('.worktrees')).toBe(false);
      expect(await rig.git('status', '--porcelain')).toBe('?? parallel.yaml');
      expect(await rig.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    },
  );

  it('reports every error at once', async () => {
    await rig.write({
      'parallel.yaml':
        'parallel_executor: { max_agents: 26, timeout: soon }\ngraph: { one: [nobody], two: [nobody] }\ntypo: 1\n',
    });
    const { stderr } = await rig.cli('run');
    expect(stderr.match(/: error/g)).toHaveLength(5);
  });

  it('given by --plan or by --agents is refused the same way', async () => {
    await rig.write({ 'parallel.yaml': 'graph: { one: [] }\n' });
    expect((await rig.cli('run', '--plan', 'missing.yaml')).code).toBe(2);
    expect((await rig.cli('run', '--agents=26')).code).toBe(2);
    expect((await rig.cli('run', '--agents=zero')).code).toBe(2);
    expect((await rig.cli('run', '--no-such-option')).code).toBe(2);
    expect((await rig.cli('frobnicate')).code).toBe(2);
    expect(rig.has('.parallel')).toBe(false);
  });
});

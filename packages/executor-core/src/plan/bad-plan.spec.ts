import type { Diagnostic } from './diagnostics';
import { parsePlan, type ParseOptions } from './load-plan';

const parse = (text: string, options?: ParseOptions) =>
  parsePlan({ text, file: 'parallel.yaml' }, options);

const problemsOf = (text: string, options?: ParseOptions): readonly Diagnostic[] => {
  const result = parse(text, options);
  return result.ok ? [] : result.diagnostics.filter((one) => one.severity === 'error');
};

/** `code line:column`, and the marked text: what a reader sees first. */
const seen = (text: string, options?: ParseOptions): readonly string[] =>
  problemsOf(text, options).map((one) => {
    const line = text.split('\n')[one.line - 1] ?? '';
    const marked = line.slice(one.column - 1, one.column - 1 + one.length);
    return `${one.code} ${one.line}:${one.column} ${marked}`;
  });

describe('a bad plan', () => {
  const AGENT = 'agents: { x: { command: run } }\n';
  it.each<readonly [string, string, readonly string[]]>([
    ['syntax', 'tasks: {a: [}', ['yaml-syntax 1:13 }']],
    ['an empty file', '', ['empty-plan 1:1 ']],
    ['comments only', '# nothing\n', ['empty-plan 1:1 ']],
    ['a list', '- a\n', ['not-a-mapping 1:1 - a']],
    ['text', 'hello', ['not-a-mapping 1:1 hello']],
    ['two documents', 'tasks: {}\n---\ntasks: {}\n', ['multiple-documents 2:1 ---']],
    ['a repeated key', 'tasks:\n  a: {}\n  a: {}\n', ['duplicate-key 3:3 a']],
    ['a glob read as an alias', 'tasks:\n  a: { writes: [*.ts] }\n', ['unknown-alias 2:17 *.ts']],
    ['a glob read as a tag', 'tasks:\n  a: { writes: [!src] }\n', ['yaml-tag 2:17 !src']],
    ['an anchor of nothing', 'phases: [a, &x ]\n', ['wrong-type 1:16 ']],
    ['an empty pair in a list', 'phases: [a, ? ]\n', ['wrong-type 1:15 ']],
    ['an unknown section', 'task: {}\n', ['unknown-key 1:1 task']],
    ['an unknown key', 'tasks:\n  a: { dependsOn: [] }\n', ['unknown-key 2:8 dependsOn']],
    ['a wrong type', 'tasks:\n  a: { prompt: [x] }\n', ['wrong-type 2:16 [x]']],
    ['an empty value', 'tasks:\n  a:\n    agent:\n', ['wrong-type 3:5 agent']],
    ['a wrong version', 'version: 2\n', ['bad-version 1:10 2']],
    [
      'a bad duration',
      'parallel_executor:\n  timeout: 5 minutes\n',
      ['bad-duration 2:12 5 minutes'],
    ],
    ['a duration without a unit', 'parallel_executor: { timeout: 30 }', ['wrong-type 1:31 30']],
    ['a negative duration', 'parallel_executor: { timeout: -30s }', ['bad-duration 1:31 -30s']],
    ['no time', 'parallel_executor: { timeout: 0s }', ['bad-duration 1:31 0s']],
    ['too long a time', 'parallel_executor: { timeout: 9999h }', ['bad-duration 1:31 9999h']],
    ['an unknown dependency', 'tasks:\n  a: { depends_on: [b] }\n', ['unknown-dependency 2:21 b']],
    ['an unknown dependency in graph', 'graph:\n  a: [b]\n', ['unknown-dependency 2:7 b']],
    ['an unknown agent', `${AGENT}tasks: { a: { agent: y } }`, ['unknown-agent 2:22 y']],
    [
      'an unknown default agent',
      `${AGENT}parallel_executor: { default_agent: y }`,
      ['unknown-agent 2:37 y'],
    ],
    ['an unknown phase', 'phases: [one]\ntasks: { a: { phase: two } }', ['unknown-phase 2:22 two']],
    ['a repeated phase', 'phases: [one, one]', ['duplicate-phase 1:15 one']],
    ['a task that waits for itself', 'graph: { a: [a] }', ['self-dependency 1:14 a']],
    ['a cycle', 'graph: { a: [b], b: [a] }', ['cycle 1:14 b']],
    [
      'a dependency on a later phase',
      'phases: [p, q]\ntasks:\n  a: { phase: p, depends_on: [b] }\n  b: { phase: q }\n',
      ['phase-order 3:31 b'],
    ],
    ['a bad id', 'tasks:\n  "../x": {}\n', ['bad-id 2:3 "../x"']],
    ['a shell id', 'tasks:\n  $(rm): {}\n', ['bad-id 2:3 $(rm)']],
    ['the id of a slot', 'tasks: { agent-1: {} }', ['bad-id 1:10 agent-1']],
    ['__proto__', 'tasks: { __proto__: {} }', ['bad-id 1:10 __proto__']],
    ['constructor', 'tasks: { constructor: {} }', ['bad-id 1:10 constructor']],
    ['ids that differ by case', 'tasks: { App: {}, app: {} }', ['id-case 1:19 app']],
    ['traversal', 'tasks: { a: { writes: [src/../../x] } }', ['bad-glob 1:24 src/../../x']],
    ['hidden traversal', 'tasks: { a: { writes: ["{.,x}./y"] } }', ['bad-glob 1:24 "{.,x}./y"']],
    ['an absolute path', 'tasks: { a: { reads: [/etc/passwd] } }', ['bad-glob 1:23 /etc/passwd']],
    ['a drive', "tasks: { a: { reads: ['C:/x'] } }", ["bad-glob 1:23 'C:/x'"]],
    ['a home folder', 'tasks: { a: { reads: ["~/x"] } }', ['bad-glob 1:23 "~/x"']],
    ['a backslash', "tasks: { a: { reads: ['a\\b'] } }", ["bad-glob 1:23 'a\\b'"]],
    ['a NUL', 'tasks: { a: { reads: ["a\\0b"] } }', ['bad-glob 1:23 "a\\0b"']],
    ['a line break', 'tasks: { a: { reads: ["a\\nb"] } }', ['bad-glob 1:23 "a\\nb"']],
    ['shell text', 'tasks: { a: { reads: [src/$(rm)] } }', ['bad-glob 1:23 src/$(rm)']],
    ['an unsupported glob', 'tasks: { a: { reads: ["+(a)"] } }', ['bad-glob 1:23 "+(a)"']],
    ['a costly glob', 'tasks: { a: { reads: [a*b*c*d*e*f] } }', ['bad-glob 1:23 a*b*c*d*e*f']],
    ['exclusions alone', 'tasks: { a: { reads: ["!a"] } }', ['bad-glob 1:23 "!a"']],
    [
      'the folder of git',
      'tasks: { a: { writes: [x/.GIT/hooks/*] } }',
      ['reserved-path 1:24 x/.GIT/hooks/*'],
    ],
    ['our folder', 'tasks: { a: { writes: [.parallel/**] } }', ['reserved-path 1:24 .parallel/**']],
    [
      'the worktrees',
      'tasks: { a: { writes: [.worktrees/agent-1/**] } }',
      ['reserved-path 1:24 .worktrees/agent-1/**'],
    ],
    [
      'a worktree base outside',
      'parallel_executor: { worktree_base: ../wt }',
      ['bad-glob 1:37 ../wt'],
    ],
    ['the root as worktree base', 'parallel_executor: { worktree_base: ./ }', ['bad-glob 1:37 ./']],
    [
      'a set-up path outside',
      'parallel_executor: { setup: { copy: [/etc] } }',
      ['bad-glob 1:38 /etc'],
    ],
    ['no agents', 'parallel_executor: { max_agents: 0 }', ['max-agents 1:34 0']],
    ['26 agents', 'parallel_executor: { max_agents: 26 }', ['max-agents 1:34 26']],
    [
      '201 agents',
      'parallel_executor: { max_agents: 201, allow_more_agents: true }',
      ['max-agents 1:34 201'],
    ],
    ['half an agent', 'parallel_executor: { max_agents: 1.5 }', ['max-agents 1:34 1.5']],
    ['a prompt for nobody', 'tasks:\n  a:\n    prompt: do it\n', ['no-agent 3:13 do it']],
    [
      'two prompts',
      `${AGENT}tasks: { a: { agent: x, prompt: p, prompt_file: f.md } }`,
      ['prompt-twice 2:49 f.md'],
    ],
    [
      'a missing prompt file',
      `${AGENT}tasks: { a: { agent: x, prompt_file: f.md } }`,
      ['missing-prompt-file 2:38 f.md'],
    ],
    [
      'a prompt file outside',
      `${AGENT}tasks: { a: { agent: x, prompt_file: ../f } }`,
      ['bad-glob 2:38 ../f'],
    ],
    ['a high priority', 'tasks: { a: { priority: 101 } }', ['out-of-range 1:25 101']],
    ['a negative priority', 'tasks: { a: { priority: -1 } }', ['out-of-range 1:25 -1']],
    ['an unknown priority', 'tasks: { a: { priority: URGENT } }', ['bad-value 1:25 URGENT']],
    [
      'an author who is nobody',
      'parallel_executor: { commit: { author: Jo } }',
      ['bad-value 1:40 Jo'],
    ],
    [
      'merge options that git lacks, or that may not be used',
      'parallel_executor:\n  merge_options: [patience, theirs, subtree=lib, find-renames=150, ignore-spaces]',
      [
        'bad-value 2:29 theirs',
        'bad-value 2:37 subtree=lib',
        'bad-value 2:50 find-renames=150',
        'bad-value 2:68 ignore-spaces',
      ],
    ],
    ['octopus', 'parallel_executor: { merge_strategy: octopus }', ['merge-octopus 1:38 octopus']],
    [
      'negative retries',
      'parallel_executor: { retry_policy: { max_retries: -1 } }',
      ['out-of-range 1:51 -1'],
    ],
    ['verify as text', 'parallel_executor: { verify: npm test }', ['wrong-type 1:30 npm test']],
    ['set-up as text', 'parallel_executor: { setup: { run: npm ci } }', ['wrong-type 1:36 npm ci']],
    ['too many ports', 'parallel_executor: { setup: { ports: 1001 } }', ['out-of-range 1:38 1001']],
    ['an agent without anything', 'agents:\n  x: {}\n', ['no-command 2:3 x']],
    ['a lock of nobody', 'locks: { write: [{ b: [x] }] }', ['unknown-lock-owner 1:20 b']],
    [
      'a lock of a slot there is not',
      'locks: { write: { agent-26: [x] } }',
      ['unknown-lock-owner 1:19 agent-26'],
    ],
    ['an unknown policy', 'locks: { conflict_resolution: hope }', ['bad-value 1:31 hope']],
    ['a variable of ours', 'tasks: { a: { env: { PARALLEL_X: 1 } } }', ['bad-env 1:22 PARALLEL_X']],
    [
      'a resource without id',
      'tasks: { a: { required_resources: [{ exclusive: true }] } }',
      ['wrong-type 1:36 { exclusive: true }'],
    ],
    ['a key that is a list', 'tasks: { [a]: {} }', ['bad-key 1:10 [a]']],
  ])('%s: code, place and marked text', (_, text, expected) => {
    expect(seen(text)).toEqual(expected);
  });

  it('gives every mistake at once, and none that only follows from another', () => {
    const text = [
      'parallel_executor: { max_agents: 99, timeout: soon, default_agent: boss }',
      'agents: 5',
      'tasks:',
      '  a: { agent: ghost, depends_on: [zzz, b], priority: [1], writes: [/abs, ok] }',
      '  b: { depends_on: [a], colour: red }',
    ].join('\n');
    expect(seen(text).toSorted()).toEqual([
      'bad-duration 1:47 soon',
      'bad-glob 4:68 /abs',
      'bad-value 4:54 [1]',
      'cycle 4:40 b',
      'max-agents 1:34 99',
      'unknown-dependency 4:35 zzz',
      'unknown-key 5:25 colour',
      'wrong-type 2:9 5',
    ]);
  });

  it('prints a cycle as a path, and names the barrier it goes through', () => {
    expect(problemsOf('graph: { a: [b], b: [c], c: [a] }')[0]?.message).toContain('a → b → c → a');
    const text =
      'phases: [p, q]\ntasks: { a: { phase: p, depends_on: [f] }, f: { depends_on: [b] }, b: { phase: q } }';
    expect(problemsOf(text)[0]?.message).toContain('a → f → b → end of phase p → a');
  });

  it('suggests the near name', () => {
    const fixOf = (text: string) => problemsOf(text)[0]?.fix;
    expect(fixOf('tasks: { a: { dependsOn: [] } }')).toBe('Did you mean "depends_on"?');
    expect(fixOf('parallel_executor: { retry_policy: { max_retry: 1 } }')).toBe(
      'Did you mean "max_retries"?',
    );
    expect(fixOf('graph: { schema: [], api: [shcema] }')).toBe('Did you mean "schema"?');
    expect(fixOf('parallel_executor: { land: tarjet }')).toBe('Did you mean "target"?');
    expect(fixOf('parallel_executor: { verify: npm test }')).toBe(
      'Write a list: verify: ["npm test"].',
    );
    expect(fixOf('tasks: { a: { writes: [!src/gen] } }')).toContain('quotes');
  });

  it('refuses aliases that unfold without end, and reads honest ones', () => {
    const bomb = ['x0: &x0 [a,a,a,a,a,a,a,a,a,a]'];
    for (let n = 1; n < 12; n += 1)
      bomb.push(
        `x${n}: &x${n} [${Array(10)
          .fill(`*x${n - 1}`)
          .join(',')}]`,
      );
    expect(problemsOf(bomb.join('\n'))[0]?.code).toBe('alias-limit');
    expect(problemsOf('tasks: { a: &a [*a] }')[0]?.code).toBe('unknown-alias');
  });

  it('refuses nesting that would exhaust the stack', () => {
    expect(problemsOf(`a: ${'['.repeat(200)}${']'.repeat(200)}`)[0]?.code).toBe('too-deep');
    expect(problemsOf(`a: ${'['.repeat(50_000)}`)).not.toEqual([]);
  });
});

import { parse, stringify } from 'yaml';
import type { Random } from './simulation/random';

/** A plan with every section and nearly every key. */
const FULL = `# every key once
version: 1
parallel_executor:
  max_agents: 4
  worktree_base: .worktrees/
  lock_timeout: 30s
  retry_policy: { max_retries: 3, backoff: exponential }
  checkpoint_interval: task
  failure_strategy: retry_failed
  timeout: 1h
  deadline: 8h
  default_agent: codemod
  setup: { copy: [.env], link: [node_modules], run: ["npm ci"] }
  verify: ["npm test"]
  secrets: [TOKEN]
  sandbox: off
  budget: { usd: 20, tokens: 5000000 }
agents:
  codemod: { adapter: command, command: "node tools/codemod.mjs", max_parallel: 3, env: { A: "1" } }
  writer:
    adapter: claude
    instructions: |
      Write well.
        And short.
    noop: refuse
phases: [first, second]
graph:
  a: []
  b: [a]
tasks:
  a: { prompt: 'Do "it".', phase: first, writes: [src/a/**, "!src/a/gen/**"], reads: [package.json] }
  b:
    agent: writer
    prompt: >
      Folded
      text.
    priority: HIGH
    phase: second
    depends_on: [a]
    writes:
      - src/b/*.ts
      - docs/{b,c}.md
    required_resources: [{ id: db, amount: 2 }, { id: key, exclusive: true }]
    team: t
    task_type: heavy
    timeout: 90s
    env: { B: two }
  c: ~
locks:
  read: [{ agent-1: ["src/*", package.json] }]
  write:
    a: [src/a2/**]
  conflict_resolution: priority
resource_strategies:
  team_based: { t: { max_parallel: 10 } }
  task_type_based: { heavy: { max_parallel: 2 } }
  resources: { db: { max_parallel: 4 } }
`;

const VALUES = [
  ...[
    '',
    '~',
    'null',
    '[]',
    '{}',
    '[[]]',
    '{ a: }',
    'true',
    'yes',
    '-1',
    '0',
    '-0',
    '1e999',
    '.inf',
  ],
  ...['-.INF', '.nan', '0x7fffffffffffffff', '0o777', '1_000', '9007199254740993', '9'.repeat(400)],
  ...[
    '1'.repeat(30_000),
    `"${'x'.repeat(20_000)}"`,
    '2026-01-01',
    '!!binary aGk=',
    '!!js/function x',
  ],
  ...[
    '!!set { a }',
    '!!omap [a: 1]',
    '!!python/object:os.system x',
    '!<tag:x> y',
    '&x',
    '*x',
    '*nobody',
  ],
  ...[
    '&x [*x]',
    '&x { a: *x }',
    '__proto__',
    '{ __proto__: { polluted: 1 } }',
    '{ "__proto__": [a] }',
  ],
  ...[
    '{ constructor: { prototype: { polluted: 1 } } }',
    '{ toString: 1, hasOwnProperty: 2 }',
    '"\\u0000"',
  ],
  ...[
    '"\\ud800"',
    '"\\uDC00\\uD800"',
    '../../../etc/passwd',
    '/etc/passwd',
    '~/.ssh/**',
    '.git/**',
    '**',
  ],
  ...['"{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}{m,n}{o,p}{q,r}{s,t}"', '"[z-a]"', '"((((("', '"!(!(!(a)))"'],
  ...[
    '|',
    '>-',
    '|9',
    '>+2',
    "'",
    '"',
    '`x`',
    '@x',
    '%x',
    '? x',
    '- - - a',
    '<<',
    '$(id)',
    '30 parsecs',
  ],
  ...[
    'agent-26',
    '[a, a, a]',
    '[~]',
    '[1, true, {}]',
    '{ ? [a] : b }',
    '1e400s',
    '99999999999h',
    's',
  ],
];
const KEYS = [
  ...[
    '__proto__',
    '"__proto__"',
    'constructor',
    'prototype',
    'toString',
    'valueOf',
    '<<',
    '""',
    '~',
    '1',
  ],
  ...[
    '? a',
    '[a]',
    '{a: b}',
    'tasks',
    'version',
    'a',
    '"a\\nb"',
    'true',
    '-',
    '&k k',
    '*k',
    '!!str x',
    'é',
  ],
  ...['x'.repeat(300), '..', 'a/b', '"\\u202e"', 'depends_on', 'writes', 'polluted'],
];
const MARKS =
  ':,[]{}-#&*!|>\'"%@`?\t\n\r \u0000\u0001\u0085\u2028\u2029\ufeff\ufffe\u{1f600}'.split('');

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: readonly Mutation[] = [
  (text, random) =>
    onLine(text, random, (line) => line.replace(/: .*$/, `: ${random.pick(VALUES)}`)),
  (text, random) => onLine(text, random, (line) => line.replace(/[\w"-]+(?=:)/, random.pick(KEYS))),
  (text, random) => onLine(text, random, (line) => ' '.repeat(random.below(5)) + line),
  (text, random) => onLine(text, random, (line) => line.trimStart()),
  (text, random) => onLine(text, random, (line) => `${line}\n${line}`),
  (text, random) => onLine(text, random, () => ''),
  (text, random) => onLine(text, random, (line) => line.replace(/[\w.*/-]+/, random.pick(VALUES))),
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(MARKS).repeat(1 + random.below(3)) + text.slice(at);
  },
  (text, random) => {
    const [from, length] = [random.below(text.length + 1), random.below(40)];
    return text.slice(0, from) + text.slice(from + length);
  },
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => {
    const [from, length] = [random.below(text.length + 1), random.below(200)];
    return text + text.slice(from, from + length);
  },
  (text, random) =>
    `${random.pick(['---\n', '%YAML 1.1\n---\n', '%TAG ! x\n---\n', '...\n'])}${text}`,
  (text, random) =>
    `${text}\n${random.pick(['---\n', '...\n', 'tasks: {}\n', '\t\n', '<<: *x\n'])}${text}`,
];

const MONSTERS: readonly ((random: Random) => string)[] = [
  (random) =>
    random.pick(['[', '{a: ', '- ', '? ', '"', '&a ', '!!str ', '{"a":']).repeat(deep(random)),
  (random) => {
    const depth = 1 + random.below(2000);
    return Array.from({ length: depth }, (_, at) => `${' '.repeat(at)}a:`).join('\n');
  },
  (random) => `tasks: ${'['.repeat(deep(random))}${']'.repeat(deep(random))}`,
  (random) => bomb(random.pick([3, 9, 12]), random.pick([2, 9, 20])),
  () => 'a: &a { <<: *a, b: *a }\ntasks: *a\n',
  (random) =>
    `tasks:\n${manyOf(random, (at) => `  t${at}: { writes: [p${at}/**], depends_on: [t${at + 1}] }`)}`,
  (random) => `graph: {${manyOf(random, (at) => `t${at}: [t${random.below(50)}],`)}}`,
  (random) => `{${manyOf(random, () => `${random.pick(KEYS)}: ${random.pick(VALUES)},`)}}`,
  (random) => JSON.stringify({ tasks: { a: { writes: [random.pick(VALUES).slice(0, 50)] } } }),
  (random) => manyOf(random, () => random.pick(MARKS)),
];

/** Text of a generated plan as the bytes of a file, and whether it is meant as JSON. */
export interface HostilePlan {
  readonly bytes: Buffer;
  readonly isJson: boolean;
}

/**
 * A plan made of one of `samples` by a few changes, or one that is hostile altogether, in one of many
 * encodings. The same numbers give the same plan.
 */
export function hostilePlan(samples: readonly string[], random: Random): HostilePlan {
  const isJson = random.chance(30);
  if (random.chance(12)) {
    return { bytes: encoded(random.pick(MONSTERS)(random), random), isJson };
  }
  const sample = random.pick([...samples, FULL]);
  let text = isJson ? JSON.stringify(parse(sample), null, random.below(3)) : sample;
  if (!isJson && random.chance(10)) text = stringify(parse(sample));
  for (let left = random.below(5); left > 0; left -= 1) text = random.pick(MUTATIONS)(text, random);
  return { bytes: encoded(text, random), isJson };
}

function onLine(text: string, random: Random, change: (line: string) => string): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  lines[at] = change(lines[at] ?? '');
  return lines.join('\n');
}

function deep(random: Random): number {
  return random.pick([10, 100, 1000, 10_000, 50_000]);
}

function manyOf(random: Random, make: (at: number) => string): string {
  return Array.from({ length: 1 + random.below(500) }, (_, at) => make(at)).join('\n');
}

/** Aliases of aliases: `width` to the power of `levels` when they are followed. */
function bomb(levels: number, width: number): string {
  const lines = ['a0: &a0 [x]'];
  for (let at = 1; at <= levels; at += 1) {
    lines.push(`a${at}: &a${at} [${new Array(width).fill(`*a${at - 1}`).join(', ')}]`);
  }
  return `${lines.join('\n')}\ntasks: { t: { writes: *a${levels} } }\n`;
}

/** Mostly UTF-8; sometimes with other line breaks, marks, or bytes that are no text. */
function encoded(text: string, random: Random): Buffer {
  const way = random.below(20);
  if (way === 0) return Buffer.from(`\ufeff${text}`);
  if (way === 1) return Buffer.from(`\ufeff\ufeff${text}`);
  if (way === 2) return Buffer.from(text.replaceAll('\n', '\r\n'));
  if (way === 3) return Buffer.from(text.replaceAll('\n', '\r'));
  if (way === 4) return Buffer.from(`\ufeff${text}`, 'utf16le');
  if (way === 5) return Buffer.from(text, 'utf16le').swap16();
  if (way === 6) return Buffer.from(text.replaceAll('a', 'é'), 'latin1');
  const bytes = Buffer.from(text);
  if (way > 9 || bytes.length === 0) return bytes;
  for (let left = 1 + random.below(5); left > 0; left -= 1) {
    bytes[random.below(bytes.length)] = random.pick([
      0,
      0x80,
      0xc0,
      0xed,
      0xf8,
      0xff,
      random.below(256),
    ]);
  }
  return bytes;
}

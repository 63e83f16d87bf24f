import { dirname, join, sep } from 'node:path';
import fc from 'fast-check';
import { gitAdapter } from '../adapters/simple-git';
import { parseRunId, parseTaskId } from '../model/ids';
import type { Plan } from '../model/task';
import { parsePlan } from '../plan/load-plan';
import { runPaths } from '../store/run-dir';
import { makeRepository } from '../testing/git-repository';

/** Real git on a machine that may be busy. */
jest.setTimeout(120_000);

const NAMES = 5000;
const HOSTILE = [
  '..',
  '../../x',
  '/etc/passwd',
  './x',
  '~',
  '.git',
  '.GIT',
  '.g\u200cit',
  '.gitmodules',
  'a/b',
  'a\\b',
  'C:\\x',
  'CON',
  'nul.txt',
  '-rf',
  '--upload-pack=touch x',
  '--',
  '-',
  '$(touch x)',
  '`touch x`',
  ';touch x',
  '|x',
  '&',
  '\u0000',
  '\n',
  '\r\n',
  '\t',
  '\u001b[2J',
  '\u202e',
  '\ufeff',
  '\ud800',
  'é',
  'e\u0301',
  '😀',
  '@',
  '@{',
  '@{-1}',
  'HEAD',
  'refs/heads/main',
  'x.lock',
  'x.LOCK',
  '.x',
  'x.',
  'x..y',
  'x~1',
  'x^',
  'x:y',
  '*',
  '?',
  '[a]',
  '{a,b}',
  '!x',
  '#x',
  '%x',
  '"',
  "'",
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'agent-1',
  'agent-26',
  'null',
  'true',
  '0',
  '1e9',
  'NaN',
  ' ',
  '',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(5000),
];
const hostileName = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc
    .array(fc.constantFrom(...HOSTILE, 'a', 'Z', '7', '.', '_', '-'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.stringMatching(/^[A-Za-z0-9._-]{1,70}$/),
);

/** The name wherever a plan takes one. */
function planWith(name: string): string {
  const tasks = { [name]: { writes: ['a'], phase: name, team: name, agent: name } };
  return JSON.stringify({
    parallel_executor: { default_agent: name },
    phases: [name],
    agents: { [name]: { adapter: 'command', command: 'true' } },
    tasks: Object.fromEntries(Object.entries(tasks)),
  });
}

function namesOf(plan: Plan): readonly string[] {
  return [...plan.tasks.map(({ id }) => id as string), ...plan.agents.map(({ name }) => name)];
}

it(`takes ${NAMES} hostile names as a safe name, or refuses them with a place in the file`, async () => {
  const prototype = Object.getOwnPropertyNames(Object.prototype).sort();
  const accepted = new Set<string>();
  fc.assert(
    fc.property(hostileName, (name) => {
      const result = parsePlan({ text: planWith(name), file: 'parallel.json' });
      if (!result.ok) {
        expect(result.diagnostics[0]).toMatchObject({ severity: 'error', file: 'parallel.json' });
        return;
      }
      for (const found of namesOf(result.plan)) {
        expect(found).toBe(name);
        accepted.add(found);
      }
    }),
    { numRuns: NAMES },
  );
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
  expect(accepted.size).toBeGreaterThan(100);
  for (const name of accepted) {
    const { dir } = runPaths('/root', parseRunId('PEXEC-1')).task(parseTaskId(name));
    expect(dirname(dir).split(sep).at(-1)).toBe('tasks');
    expect(join(dir, '.')).toBe(dir);
  }
  await expectBranchNames([...accepted]);
});

/** git takes every one of them as a part of a branch name, in one transaction. */
async function expectBranchNames(names: readonly string[]): Promise<void> {
  const repository = await makeRepository({ a: '' });
  try {
    const head = await repository.git(['rev-parse', 'HEAD']);
    // Names that differ in case only would be one file elsewhere; here each is a branch of its own.
    const lines = names.map((name) => `create refs/heads/agent-1-${name} ${head}\n`);
    const { root: cwd } = repository;
    await gitAdapter().text(['update-ref', '--stdin'], { cwd, stdin: lines.join('') });
    const branches = await repository.git(['branch', '--list', 'agent-1-*']);
    expect(branches.split('\n')).toHaveLength(names.length);
  } finally {
    await repository.cleanup();
  }
}

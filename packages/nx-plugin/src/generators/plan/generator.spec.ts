import type { ProjectGraph, Tree } from '@nx/devkit';
import { logger } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { parse } from 'yaml';
import { parsePlan, STARTER_PLAN } from '@parallel-executor/core';
import type { PlanDocument } from './plan-document';
import { planGenerator, type PlanSources } from './generator';
import type { PlanGeneratorOptions } from './options';

const node = (name: string, root: string, tags: string[]): ProjectGraph['nodes'][string] => ({
  name,
  type: 'lib',
  data: { root, tags, targets: { test: {} } },
});
const GRAPH: ProjectGraph = {
  nodes: {
    acme: node('acme', '.', []),
    ui: node('ui', 'libs/ui', ['scope:web']),
    api: node('api', 'apps/api', []),
  },
  dependencies: {
    api: [
      { source: 'api', target: 'ui', type: 'static' },
      { source: 'api', target: 'npm:zod', type: 'static' },
    ],
  },
};

describe('nx g parallel:plan', () => {
  let tree: Tree;
  const bases: (string | undefined)[] = [];
  const sources: PlanSources = {
    graph: () => Promise.resolve(GRAPH),
    affected: (_root, base) => {
      bases.push(base);
      return new Set(['api']);
    },
  };
  const generate = (options: PlanGeneratorOptions): Promise<void> =>
    planGenerator(tree, options, sources);
  const plan = (file = 'parallel.yaml'): PlanDocument =>
    parse(tree.read(file, 'utf8') ?? '') as PlanDocument;

  beforeEach(() => {
    jest.spyOn(logger, 'info').mockImplementation();
    tree = createTreeWithEmptyWorkspace();
    bases.length = 0;
  });

  it('writes one task per project, npm packages and the root left out', async () => {
    await generate({ prompt: 'Tidy up.', agent: 'claude' });
    expect(plan().tasks).toMatchObject({
      api: { project: 'api', reads: ['libs/ui/**'], writes: ['apps/api/**'] },
      ui: { project: 'ui', writes: ['libs/ui/**'] },
    });
    expect(Object.keys(plan().tasks)).toHaveLength(2);
  });

  it('takes the projects that are wanted, and of those the affected ones', async () => {
    await generate({ prompt: 'Tidy up.', agent: 'claude', projects: 'tag:scope:*' });
    expect(Object.keys(plan().tasks)).toEqual(['ui']);
    await generate({
      prompt: 'Tidy up.',
      agent: 'claude',
      affected: true,
      base: 'main~3',
      force: true,
    });
    expect(Object.keys(plan().tasks)).toEqual(['api']);
    expect(bases).toEqual(['main~3']);
  });

  it('reads the goal from a file', async () => {
    tree.write('goal.md', 'Tidy {root}.\nBe brief.\n');
    await generate({ agent: 'claude', promptFile: 'goal.md' });
    expect(plan().tasks['ui']?.prompt).toBe('Tidy libs/ui.\nBe brief.\n');
  });

  it('writes JSON to a file that ends so, and then another plan may stand beside it', async () => {
    tree.write('parallel.yaml', 'version: 1\n');
    await generate({ command: 'node x.mjs', output: 'plans/tidy.json' });
    expect(JSON.parse(tree.read('plans/tidy.json', 'utf8') ?? '')).toHaveProperty('version', 1);
  });

  it('without goal and agent writes a skeleton, a valid plan that does nothing, and says so', async () => {
    const warn = jest.spyOn(logger, 'warn').mockImplementation();
    await generate({});
    expect(plan()).not.toHaveProperty('agents');
    const text = tree.read('parallel.yaml', 'utf8') ?? '';
    expect(parsePlan({ text, file: 'parallel.yaml' }, {})).toMatchObject({
      ok: true,
      plan: { tasks: [{ profile: null }, { profile: null }] },
    });
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('No agent is named'));
  });

  it('takes the place of a starter plan nobody has touched', async () => {
    tree.write('parallel.yaml', STARTER_PLAN);
    await generate({ command: 'node x.mjs' });
    expect(Object.keys(plan().tasks)).toHaveLength(2);
  });

  it('keeps an existing plan and says how to overwrite it', async () => {
    tree.write('parallel.yaml', 'version: 1 # mine\n');
    const refusal = generate({ prompt: 'Tidy up.', agent: 'claude' });
    await expect(refusal).rejects.toThrow(
      /^parallel\.yaml exists already; nothing was changed\.\n.*--force/,
    );
    expect(tree.read('parallel.yaml', 'utf8')).toBe('version: 1 # mine\n');
    await generate({ prompt: 'Tidy up.', agent: 'claude', force: true });
    expect(Object.keys(plan().tasks)).toHaveLength(2);
  });

  it('refuses a second plan that would never be read', async () => {
    tree.write('parallel.yml', 'version: 1\n');
    await expect(generate({ prompt: 'Tidy up.', agent: 'claude' })).rejects.toThrow(
      'parallel.yml exists already',
    );
    expect(tree.exists('parallel.yaml')).toBe(false);
  });

  it.each<[string, PlanGeneratorOptions]>([
    ['A goal is given, but nobody to reach it.', { prompt: 'Tidy up.' }],
    ['Both --prompt and --prompt-file are given.', { prompt: 'a', promptFile: 'b' }],
    ['The prompt file nowhere.md does not exist.', { promptFile: 'nowhere.md' }],
    [
      'No project matches nope, tag:x.',
      { prompt: 'a', agent: 'claude', projects: ['ui', 'nope,tag:x'] },
    ],
    [
      'No selected project is affected.',
      { prompt: 'a', agent: 'claude', projects: 'ui', affected: true },
    ],
  ])('says "%s" and changes nothing', async (message, options) => {
    const before = tree.listChanges();
    await expect(generate(options)).rejects.toThrow(message);
    expect(tree.listChanges()).toEqual(before);
  });
});

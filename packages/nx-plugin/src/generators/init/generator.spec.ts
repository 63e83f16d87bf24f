import { logger, readNxJson, updateNxJson, type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { parsePlan, STARTER_PLAN } from '@parallel-executor/core';
import { initGenerator } from './generator';

describe('nx g parallel:init', () => {
  let tree: Tree;
  const contents = (): readonly (string | null)[] =>
    ['nx.json', '.gitignore', '.nxignore', 'parallel.yaml'].map((file) => tree.read(file, 'utf8'));

  beforeEach(() => {
    jest.spyOn(logger, 'info').mockImplementation();
    tree = createTreeWithEmptyWorkspace();
  });

  it('adds the plugin and leaves the rest of nx.json alone', () => {
    updateNxJson(tree, {
      namedInputs: { default: ['{projectRoot}/**/*'] },
      plugins: ['@nx/js/typescript', { plugin: '@nx/eslint/plugin', options: {} }],
    });
    initGenerator(tree);
    expect(readNxJson(tree)).toEqual({
      namedInputs: { default: ['{projectRoot}/**/*'] },
      plugins: [
        '@nx/js/typescript',
        { plugin: '@nx/eslint/plugin', options: {} },
        '@parallel-executor/nx',
      ],
    });
  });

  it.each(['parallel', '@parallel-executor/nx', { plugin: 'parallel' }])(
    'does not add the plugin twice when nx.json has %j',
    (plugin) => {
      updateNxJson(tree, { plugins: [plugin] });
      initGenerator(tree);
      expect(readNxJson(tree)?.plugins).toEqual([plugin]);
    },
  );

  it('makes git ignore our folders, and Nx too where it has an ignore file', () => {
    tree.write('.gitignore', 'dist\n/.parallel');
    tree.write('.nxignore', '');
    initGenerator(tree);
    expect(tree.read('.gitignore', 'utf8')).toBe('dist\n/.parallel\n.worktrees/\n');
    expect(tree.read('.nxignore', 'utf8')).toBe('.parallel/\n.worktrees/\n');
  });

  it('creates .gitignore but no .nxignore', () => {
    tree.delete('.gitignore');
    initGenerator(tree);
    expect(tree.read('.gitignore', 'utf8')).toBe('.parallel/\n.worktrees/\n');
    expect(tree.exists('.nxignore')).toBe(false);
  });

  it('writes a starter plan that is valid', () => {
    initGenerator(tree);
    expect(tree.read('parallel.yaml', 'utf8')).toBe(STARTER_PLAN);
    expect(parsePlan({ text: STARTER_PLAN, file: 'parallel.yaml' }, {})).toMatchObject({
      ok: true,
    });
  });

  it('keeps a plan that is there, whatever its suffix, and writes none when told so', () => {
    tree.write('parallel.yml', 'version: 1\n');
    initGenerator(tree);
    expect(tree.exists('parallel.yaml')).toBe(false);
    tree.delete('parallel.yml');
    initGenerator(tree, { skipPlan: true });
    expect(tree.exists('parallel.yaml')).toBe(false);
  });

  it('changes nothing the second time', () => {
    initGenerator(tree);
    const first = contents();
    initGenerator(tree);
    expect(contents()).toEqual(first);
  });
});

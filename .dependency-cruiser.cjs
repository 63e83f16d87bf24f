/** The layer rule of docs/architecture.md, folder by folder: L(n) imports only lower layers. */
const core = '^packages/executor-core/src';
const pure = ['plan', 'schedule', 'report'];
const effects = ['locks', 'isolate', 'verify', 'merge', 'store', 'agents'];
const upper = ['run', 'adapters'];
const at = (...folders) => `${core}/(${folders.join('|')})/`;
const spec = '\\.spec\\.ts$';

const sideways = [...pure, ...effects].map((folder) => ({
  name: `no-sideways-${folder}`,
  comment: `${folder}/ may not import its sisters; they meet in run/.`,
  severity: 'error',
  from: { path: at(folder), pathNot: spec },
  to: { path: at(...(pure.includes(folder) ? pure : effects).filter((other) => other !== folder)) },
}));

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'model-is-lowest',
      severity: 'error',
      from: { path: at('model'), pathNot: spec },
      to: { path: core, pathNot: at('model') },
    },
    {
      name: 'ports-know-the-model-only',
      severity: 'error',
      from: { path: at('ports') },
      to: { path: core, pathNot: at('model', 'ports') },
    },
    {
      name: 'graph-knows-the-model-only',
      severity: 'error',
      from: { path: at('graph'), pathNot: spec },
      to: { path: core, pathNot: at('model', 'graph') },
    },
    {
      name: 'pure-does-no-effects',
      severity: 'error',
      from: { path: at('graph', ...pure), pathNot: spec },
      to: { path: at('ports', ...effects, ...upper) },
    },
    {
      name: 'pure-does-no-io',
      severity: 'error',
      from: { path: at('model', 'graph', ...pure), pathNot: spec },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|path)$' },
    },
    ...sideways,
    {
      name: 'effects-do-not-reach-up',
      severity: 'error',
      from: { path: at(...effects), pathNot: spec },
      to: { path: at(...upper) },
    },
    {
      name: 'adapters-know-ports-and-model',
      severity: 'error',
      from: { path: at('adapters'), pathNot: spec },
      to: { path: core, pathNot: at('adapters', 'ports', 'model') },
    },
    {
      name: 'only-the-composition-root-names-adapters',
      severity: 'error',
      from: {
        path: core,
        pathNot: [at('adapters', 'testing'), `${core}/create-executor\\.ts$`, spec],
      },
      to: { path: at('adapters') },
    },
    {
      name: 'core-has-no-terminal-and-no-nx',
      severity: 'error',
      from: { path: core },
      to: { path: 'node_modules/(nx|@nx|chalk|commander)/' },
    },
    {
      name: 'git-has-one-door',
      severity: 'error',
      from: { path: core, pathNot: `${core}/adapters/simple-git\\.ts$` },
      to: { path: 'node_modules/simple-git/' },
    },
    {
      name: 'packages-use-cores-public-entry',
      severity: 'error',
      from: { path: '^packages/(cli|nx-plugin)/' },
      to: { path: core, pathNot: `${core}/(index|testing/index)\\.ts$` },
    },
    {
      name: 'front-doors-do-not-meet',
      severity: 'error',
      from: { path: '^packages/cli/' },
      to: { path: '^packages/nx-plugin/' },
    },
    {
      name: 'front-doors-do-not-meet-2',
      severity: 'error',
      from: { path: '^packages/nx-plugin/' },
      to: { path: '^packages/cli/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      conditionNames: ['@parallel-executor/source', 'import', 'require', 'node', 'default'],
    },
  },
};

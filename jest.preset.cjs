/** One jest set-up for every project: swc compiles, workspace packages resolve to their source. */
const base = {
  testEnvironment: 'node',
  testEnvironmentOptions: {
    customExportConditions: ['@parallel-executor/source', 'node', 'require'],
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleFileExtensions: ['ts', 'js', 'cjs', 'json'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  clearMocks: true,
};

exports.unit = (displayName) => ({
  ...base,
  displayName,
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
});

exports.e2e = () => ({
  ...base,
  displayName: 'e2e',
  testMatch: ['<rootDir>/src/**/*.e2e.ts'],
  testTimeout: 180_000,
});

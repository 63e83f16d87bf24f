module.exports = {
  projects: [
    '<rootDir>/packages/executor-core/jest.config.cjs',
    '<rootDir>/packages/nx-plugin/jest.config.cjs',
    '<rootDir>/packages/cli/jest.config.cjs',
  ],
};

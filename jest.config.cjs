module.exports = {
  projects: [
    '<rootDir>/packages/executor-core',
    '<rootDir>/packages/nx-plugin',
    '<rootDir>/packages/cli',
  ],
};

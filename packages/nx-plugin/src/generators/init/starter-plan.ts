/** The plan a fresh workspace starts with: valid as it stands, one small task. */
export const STARTER_PLAN = `# yaml-language-server: $schema=./node_modules/@parallel-executor/core/parallel.schema.json
version: 1
parallel_executor:
  max_agents: 25
  default_agent: claude
agents:
  claude: { adapter: claude }
tasks:
  readme:
    prompt: Describe this repository in README.md, in ten lines, from what the sources say.
    writes: [README.md]
`;

/** The plan a fresh workspace starts with: small, and running as it is, without a model. */
export const STARTER_PLAN = `# yaml-language-server: $schema=./node_modules/@parallel-executor/core/parallel.schema.json
version: 1
parallel_executor:
  max_agents: 25
  default_agent: shell
  # verify: ["npx nx affected -t test --base=$PARALLEL_BASE"]   # on the merged tree, before it lands
agents:
  shell:
    adapter: command
    # Any program: its working directory is its own worktree, its prompt comes on standard input.
    command: 'mkdir -p notes && cat > "notes/$PARALLEL_TASK_ID.md"'
tasks:
  first:
    prompt: Say what this repository is for.
    writes: [notes/first.md]
  second:
    prompt: Say how to build it.
    writes: [notes/second.md]
`;

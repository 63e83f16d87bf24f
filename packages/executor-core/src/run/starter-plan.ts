/** What `parallel-cli init` writes: small, true, and running as it is. */
export const STARTER_PLAN = `# yaml-language-server: $schema=./node_modules/@parallel-executor/core/parallel.schema.json
version: 1
parallel_executor:
  max_agents: 25
  default_agent: shell
  # verify: ["npm test"]        # must pass on the merged tree before anything lands

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
  summary:
    prompt: Sum both up.
    depends_on: [first, second]
    reads: [notes/**]
    writes: [notes/summary.md]
`;

/**
 * The Nx plugin: one `agent-<task>` target for each task of parallel.yaml, one run per Nx command, and
 * cached work that lands without running an agent.
 */
export { createNodes, createNodesV2 } from './create-nodes';
export { postTasksExecution, preTasksExecution } from './hooks';

/** Name Nx shows in its messages. */
export const name = '@parallel-executor/nx';

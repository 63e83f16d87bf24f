/** What starts the engine. Named by itself, so that a bundler leaves out what the command line does not use. */
export { openWorkspace, redactSecrets } from '@parallel-executor/core';

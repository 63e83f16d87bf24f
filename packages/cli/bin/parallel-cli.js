#!/usr/bin/env node
const { enableCompileCache } = require('node:module');

/** Long enough for a run to have begun: what it compiled by then is what the next start needs. */
const KEEP_AFTER_MS = 2000;

const { main } = load(require.resolve('../dist/main.js'));
main(process.argv).then(leave, (error) => {
  process.stderr.write(`Internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  leave(1);
});

/** At once when all that was said has been taken: to end by itself, Node first takes its heap apart. */
function leave(code) {
  process.exitCode = code;
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
}

/** Node 22 and newer keep compiled code themselves. Other commands than `run` compile too little of it. */
function load(file) {
  if (enableCompileCache !== undefined) {
    enableCompileCache();
    return require(file);
  }
  const { exports: loaded, keep } = require('../dist/compiled-code.js').loadCompiled(file);
  if (keep !== null && process.argv.includes('run')) setTimeout(keep, KEEP_AFTER_MS).unref();
  return loaded;
}

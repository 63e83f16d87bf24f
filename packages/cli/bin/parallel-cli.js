#!/usr/bin/env node
// Node 22 and newer can keep the compiled code between starts.
require('node:module').enableCompileCache?.();
require('../dist/main.js')
  .main(process.argv)
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error) => {
      process.stderr.write(
        `Internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
      );
      process.exitCode = 1;
    },
  );

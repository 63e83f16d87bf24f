// Writes packages/executor-core/parallel.schema.json, or with --check fails when it is out of date.
// Needs a build (`npm run build`).
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const core = new URL('../packages/executor-core/', import.meta.url);
const target = new URL('parallel.schema.json', core);
const { planJsonSchema } = createRequire(import.meta.url)(
  new URL('dist/plan/json-schema.js', core).pathname,
);
const text = `${JSON.stringify(planJsonSchema(), null, 2)}\n`;

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  console.error('parallel.schema.json is out of date: run "node tools/gen-schema.mjs".');
  process.exitCode = 1;
}

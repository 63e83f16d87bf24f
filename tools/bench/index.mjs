// Runs every benchmark of this folder, each in a process of its own, and ends with 1 when one missed a
// gate. Arguments are passed on. Needs a build (`npm run build`).
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && name !== 'index.mjs')
  .sort();
const missed = names.filter((name) => {
  console.log(`\n== bench:${name.replace('.mjs', '')}`);
  const words = [`${folder}${name}`, ...process.argv.slice(2)];
  return spawnSync(process.execPath, words, { stdio: 'inherit' }).status !== 0;
});
if (missed.length > 0) {
  console.error(`\nMissed a gate: ${missed.join(', ')}`);
  process.exitCode = 1;
}

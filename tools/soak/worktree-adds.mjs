/**
 * Soak: 25 processes add and remove worktrees of one repository at once, as forked Nx executors do.
 * git itself fails at this in a tenth of the calls and more. Prints the failures; exit 1 when there is
 * one. Usage: npm run soak:worktrees -- [--rounds 40] [--processes 25]
 */
import { parseArgs } from 'node:util';
import { addAtOnce } from '../bench/lib/concurrent-adds.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    processes: { type: 'string', default: '25' },
  },
});
const [processes, rounds] = [values.processes, values.rounds].map(Number);
const started = Date.now();
const { failures, left } = await addAtOnce({ processes, rounds });
const seconds = ((Date.now() - started) / 1000).toFixed(1);
console.log(
  `${processes * rounds} worktrees added by ${processes} processes at once in ${seconds} s: ${failures.length} failed.`,
);
for (const failure of new Set(failures)) console.log(`  ${failure}`);
if (left.length > 0) console.log(`Left behind:\n${left.join('\n')}`);
process.exitCode = failures.length === 0 && left.length === 0 ? 0 : 1;

// What git costs a run, part by part; all parts unless some are named.
//   npm run bench:git -- worktrees [--full] [--many N]
//   npm run bench:git -- landing [--repository PATH]
//   npm run bench:git -- queue [--queues N]
//   npm run bench:git -- sweep
// Needs a build (`npm run build`). Exits with 1 when a gate is missed.
import { benchLanding } from './git/landing.mjs';
import { benchQueue } from './git/queue.mjs';
import { benchSweep } from './git/sweep.mjs';
import { benchWorktrees } from './git/worktrees.mjs';

const PARTS = {
  worktrees: benchWorktrees,
  landing: benchLanding,
  queue: benchQueue,
  sweep: benchSweep,
};

const words = process.argv.slice(2);
const named = words.filter((word) => word in PARTS);
let missed = 0;
for (const name of named.length > 0 ? named : Object.keys(PARTS))
  missed += await PARTS[name](words);
process.exitCode = missed > 0 ? 1 : 0;

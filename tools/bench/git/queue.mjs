// Verifications and time to land 25 candidates of which 0, 5 or 20 % are bad: the merge queue of the built core
// in a time of its own (a verification takes 1), with prefixes and with lanes, beside one by one and beside a
// batch that is bisected. Then 1,000 queues in which candidates also break each other, checks are flaky and
// candidates keep coming: how often a commit of the branch was red.
//   --queues N   simulated queues of each kind (300)
import { core } from '../lib/core.mjs';
import { tableText } from '../lib/table.mjs';

const { simulateQueue } = core('testing/queue-simulation');
const WORLD = { candidates: 25, slots: 4, bad: 0, clash: 0, flake: 0, projects: 0 };
const WAYS = [
  ['prefixes, 4 slots', { slots: 4 }],
  ['prefixes and 8 lanes, 4 slots', { slots: 4, projects: 8 }],
  ['prefixes, 8 slots', { slots: 8 }],
  ['every commit, 4 slots', { slots: 4, each: true }],
  ['batch and bisect (1 slot)', { slots: 1 }],
];

/** Resolves with the number of gates that were missed. */
export async function benchQueue(words) {
  const count = Number(words[words.indexOf('--queues') + 1]) || 300;
  const rows = [];
  for (const bad of [0, 0.05, 0.2]) {
    rows.push([`${bad * 100} % bad: one by one`, '25.0', '0.0', '25.0']);
    for (const [name, way] of WAYS)
      rows.push([`  ${name}`, ...(await means(count, { ...way, bad }))]);
  }
  console.log(`\n25 candidates, means of ${count} queues (a verification takes 1)`);
  console.log(tableText(['', 'verifications', 'second looks', 'time'], rows));
  return (await redQueues()) + gate(rows);
}

async function means(count, world) {
  const total = { runs: 0, confirmations: 0, rounds: 0 };
  for (let seed = 1; seed <= count; seed += 1) {
    const one = await simulateQueue({ ...WORLD, ...world, seed });
    total.runs += one.runs - one.confirmations;
    total.confirmations += one.confirmations;
    total.rounds += one.rounds;
  }
  return [total.runs, total.confirmations, total.rounds].map((sum) => (sum / count).toFixed(1));
}

function gate(rows) {
  const [, runs, , time] = rows.filter(([name]) => name === '  prefixes, 4 slots')[1];
  const met = Number(runs) <= 14 && Number(time) <= 4.5;
  console.log(`${met ? 'met' : 'MISSED'}: 5 %, 4 slots: about 13 verifications in the time of 4`);
  return met ? 0 : 1;
}

async function redQueues() {
  const bad = [0, 0.05, 0.2, 0.5];
  const found = { landed: 0, rejected: 0, wronged: 0, redCommits: 0, redTips: 0 };
  for (let seed = 1; seed <= 1000; seed += 1) {
    const drawn = { slots: 1 + (seed % 5), bad: bad[seed % 4], candidates: seed % 40 };
    const more = { projects: seed % 7, clash: 0.02, ...(seed % 3 === 0 ? { atFirst: 3 } : {}) };
    const one = await simulateQueue({ ...WORLD, ...drawn, ...more, seed });
    for (const key of Object.keys(found)) found[key] += one[key];
  }
  const red = found.redCommits + found.redTips;
  console.log(
    `1,000 queues: ${found.landed} landed, ${found.rejected} rejected, ${found.wronged} of them wrongly; ` +
      `the branch was red ${red} times`,
  );
  const met = red === 0 && found.wronged === 0;
  console.log(`${met ? 'met' : 'MISSED'}: never red, nobody wronged`);
  return met ? 0 : 1;
}

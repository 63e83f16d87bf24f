import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusJson } from '@parallel-executor/core';
import type { Finished, Rig } from './rig';
import { makeRig } from './rig';

const PLAN = `parallel_executor: { default_agent: a }
agents:
  a: { adapter: command, command: 'echo "$PARALLEL_TASK_ID" >> "$PARALLEL_ROOT/.git/agents.log"; echo done > "$PARALLEL_TASK_ID.txt"' }
tasks: { a: { writes: [a.txt], verify: ['test -s a.txt'] } }
`;
/** Loaded before the command line: kills it when it is about to write a record of this type. */
const KILLER = `const fs = require('node:fs');
const { writeSync } = fs;
fs.writeSync = (fd, data, ...rest) => {
  if (String(data).includes('"type":"' + process.env.KILL_AT + '"')) process.kill(process.pid, 'SIGKILL');
  return writeSync(fd, data, ...rest);
};
`;

let rig: Rig;
beforeEach(async () => {
  rig = await makeRig();
  await rig.write({ '.git/killer.js': KILLER });
  await rig.repository.commit({ 'parallel.yaml': PLAN }, 'plan');
});
afterEach(async () => {
  await rig.done();
});

/** Runs the plan in a process that dies right before it journals a record of this type. */
async function runUntil(type: string): Promise<Finished> {
  const before = process.env;
  process.env = {
    ...before,
    NODE_OPTIONS: `--require ${JSON.stringify(join(rig.root, '.git/killer.js'))}`,
    KILL_AT: type,
  };
  try {
    return await rig.start('run').finished;
  } finally {
    process.env = before;
  }
}

const agentRuns = (): number =>
  readFileSync(join(rig.root, '.git/agents.log'), 'utf8').trim().split('\n').length;

describe('a run that is killed right before it journals', () => {
  it.each([
    ['task:verifying', 2],
    ['task:queued', 1],
    ['task:merging', 1],
    ['task:landed', 1],
    ['target:advanced', 1],
    ['run:finished', 1],
  ])('%s lands the task once, with %i runs of its agent', async (type, runs) => {
    expect(await runUntil(type)).toMatchObject({ code: 137 });
    expect((await rig.cli('resume')).code).toBe(0);
    const { run, counts } = JSON.parse((await rig.cli('status', '--json')).stdout) as StatusJson;
    expect({ ...run, ...counts }).toMatchObject({ status: 'completed', completed: 1, failed: 0 });
    expect(agentRuns()).toBe(runs);
    const landings = await rig.git(
      'log',
      '--first-parent',
      '--format=%(trailers:key=Parallel-Task)',
    );
    expect(landings.match(/Parallel-Task: a/g)).toHaveLength(1);
    expect(await rig.git('status', '--porcelain')).toBe('');
    expect(rig.worktrees()).toEqual([]);
  });
});

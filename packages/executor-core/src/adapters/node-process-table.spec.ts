import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ProcessRow } from './node-process-table';
import { procTable } from './node-process-table';

const inLinux = process.platform === 'linux' ? describe : describe.skip;

inLinux('the mark of a process in the table of Linux', () => {
  let now: number;
  let child: ChildProcess;
  const table = procTable(() => now);

  beforeEach(() => {
    now = 0;
    // An unmarked shell that becomes a marked program when it is told to.
    const become = 'read go; PARALLEL_RUN_ID=PEXEC-1 PARALLEL_TASK_ID=a exec sleep 1000';
    child = spawn('sh', ['-c', become], { env: { PATH: process.env['PATH'] ?? '' } });
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  const row = (): ProcessRow => {
    const found = table.row(child.pid ?? -1);
    if (found === null) throw new Error('The shell is not there.');
    return found;
  };
  const putOnMark = async (): Promise<void> => {
    child.stdin?.write('go\n');
    while (!readFileSync(`/proc/${child.pid ?? -1}/environ`, 'utf8').includes('PARALLEL_'))
      await new Promise((resolve) => setImmediate(resolve));
  };

  it('is seen when the process puts it on with its program', async () => {
    expect(table.markOf(row())).toBeNull();
    now = 900;
    await putOnMark();
    expect(table.markOf(row())).toEqual({ run: 'PEXEC-1', task: 'a' });
  });

  it('is not looked for again once the process had a second to put one on', async () => {
    expect(table.markOf(row())).toBeNull();
    now = 1000;
    await putOnMark();
    expect(table.markOf(row())).toBeNull();
  });
});

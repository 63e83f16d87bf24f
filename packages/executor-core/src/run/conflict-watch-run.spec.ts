import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../model/event';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

jest.setTimeout(60_000);

let rig: RunRig;
beforeEach(async () => {
  rig = await makeRunRig({ 'a.txt': 'a\n' });
});
afterEach(() => rig.done());

describe('a run whose agents change the same file', () => {
  it('tells it while they work', async () => {
    const go = join(rig.root, '..', 'go');
    const command = `echo "$PARALLEL_TASK_ID" > a.txt; until [ -e "${go}" ]; do sleep 0.05; done`;
    const run = await rig.start({
      agents: [{ command }],
      tasks: ['one', 'two'].map((id) => ({ id, writes: ['a.txt'] })),
      settings: { conflictPolicy: 'auto_merge', forecast: 50, maxAgents: 2 },
    });
    const events: RunEvent[] = [];
    const seen = new Promise<RunEvent>((resolve) => {
      run.events.on((event) => {
        events.push(event);
        if (event.type === 'conflict:ahead') resolve(event);
      });
    });
    expect(await seen).toMatchObject({ tasks: ['one', 'two'], paths: ['a.txt'] });
    expect(events.some(({ type }) => type === 'task:queued')).toBe(false);
    await writeFile(go, '');
    expect((await run.done).parallel_execution.status).toBe('completed');
  });
});

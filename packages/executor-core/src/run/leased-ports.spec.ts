import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeToolbox } from '../create-executor';
import type { TcpPorts } from '../ports/tcp-ports';
import { planOf } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';
import { openEngine } from './engine';
import { leasePorts } from './leased-ports';
import { startRun } from './run';

/** Real git and real agents on a busy machine. */
jest.setTimeout(60_000);

const FULL: TcpPorts = { lease: () => Promise.resolve(null) };

describe('the ports of an attempt', () => {
  let rig: RunRig;
  beforeEach(async () => {
    rig = await makeRunRig();
  });
  afterEach(() => rig.done());

  const SAY = 'echo "$PARALLEL_PORT_BASE $PARALLEL_PORT_COUNT"';
  const said = (name: string) => readFileSync(join(rig.root, '.git', name), 'utf8').trim();

  it('are told to agent, set-up, checks and the checks of the merged tree', async () => {
    const note = (name: string) => `${SAY} >> "${join(rig.root, '.git', name)}"`;
    const { result } = await rig.run({
      agents: [{ command: `mkdir a; echo x > a/x; ${note('attempt')}` }],
      tasks: [{ id: 'a', verify: [note('attempt')] }],
      settings: { setup: { copy: [], link: [], run: [note('set-up')] }, verify: [note('merged')] },
    });
    expect(result.parallel_execution.status).toBe('completed');
    const [agent, check] = said('attempt').split('\n');
    expect(agent).toMatch(/^\d{5} 10$/);
    expect(check).toBe(agent);
    expect(said('merged')).toMatch(/^\d{5} 10$/);
    expect(said('set-up').split('\n')).toEqual([agent, said('merged')]);
  });

  it('are others for each that is at work', async () => {
    const meet = (other: string) =>
      `${SAY} > "$PARALLEL_ROOT/.git/$PARALLEL_TASK_ID"; mkdir $PARALLEL_TASK_ID; ` +
      `until test -s "$PARALLEL_ROOT/.git/${other}"; do sleep 0.02; done; echo x > $PARALLEL_TASK_ID/x`;
    await rig.run({
      agents: [
        { name: 'one', command: meet('b') },
        { name: 'two', command: meet('a') },
      ],
      tasks: [
        { id: 'a', profile: 'one' },
        { id: 'b', profile: 'two' },
      ],
      settings: { setup: { copy: [], link: [], run: [], ports: 12 } },
    });
    const [a = 0, b = 0] = ['a', 'b'].map((name) => Number(said(name).split(' ')[0]));
    expect(said('a').split(' ')[1]).toBe('12');
    expect(Math.abs(a - b)).toBeGreaterThanOrEqual(12);
  });

  it('fail the attempt, and say what to do, where the plan asks for more than there are', async () => {
    const plan = planOf({
      agents: [{ command: 'true' }],
      tasks: ['a'],
      settings: {
        setup: { copy: [], link: [], run: [], ports: 50 },
        retry: { maxRetries: 0, backoff: 'none', baseMs: 1, maxMs: 1 },
      },
    });
    const tools = { ...nodeToolbox(), tcpPorts: FULL };
    const engine = await openEngine(tools, rig.root, 30_000);
    const run = await startRun(engine, plan, { frontDoor: 'api' });
    const { failures } = await run.done;
    expect(JSON.stringify(failures)).toContain('worktree set-up failed at lease 50 ports');
    expect(existsSync(join(rig.root, '.worktrees/agent-1'))).toBe(false);
  });

  it('are missing without harm where nobody asked for any, and never asked for with 0', async () => {
    expect(await leasePorts(FULL, {})).toEqual({ failure: null, ports: null });
    const unasked: TcpPorts = { lease: () => Promise.reject(new Error('asked')) };
    expect(await leasePorts(unasked, { ports: 0 })).toEqual({ failure: null, ports: null });
  });
});

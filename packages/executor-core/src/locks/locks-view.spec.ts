import { parseRunId, parseTaskId } from '../model/ids';
import { leaseFrom, type WaitRecord } from './lease-record';
import { viewLocks } from './locks-view';

const dead = { pid: 2, startTime: '1', bootId: 'b', host: 'h' };

function waiter(ticket: number, writes: readonly string[], pid = 1): WaitRecord {
  return {
    ticket,
    request: `r${ticket}`,
    run: parseRunId('PEXEC-1'),
    task: parseTaskId(`t${ticket}`),
    priority: 50,
    owner: { ...dead, pid },
    access: { reads: ['lib/**'], writes },
    resources: [{ id: 'db', exclusive: false }],
    policy: 'wait',
    slots: [3],
    requestedAt: ticket * 1_000,
    ttlMs: 1,
  };
}

describe('the view of the lock table', () => {
  it('says who holds what since when, and who waits for which holders and earlier waiters', () => {
    const lease = leaseFrom(waiter(1, ['a/**']), { token: 10, slot: 3, grantedAt: 5_000 });
    const waiters = [waiter(2, ['a/x']), waiter(3, ['a/x', 'b'], dead.pid)];
    const view = viewLocks({ leases: [lease], waiters }, ({ pid }) => pid !== dead.pid);
    expect(view.held).toEqual([
      expect.objectContaining({
        task: 't1',
        agent: 'agent-3',
        token: 10,
        since: 5_000,
        reads: ['lib/**'],
        writes: ['a/**'],
        resources: [{ id: 'db', exclusive: false }],
        alive: true,
      }),
    ]);
    expect(
      view.waiting.map(({ task, waitingFor, since, alive }) => [task, waitingFor, since, alive]),
    ).toEqual([
      ['t2', ['t1 (agent-3)'], 2_000, true],
      ['t3', ['t1 (agent-3)', 't2 (waiting)'], 3_000, false],
    ]);
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  });

  it('names no slot where none is held', () => {
    const lease = leaseFrom(waiter(1, []), { token: 1, slot: null, grantedAt: 0 });
    expect(viewLocks({ leases: [lease], waiters: [] }, () => true).held[0]?.agent).toBeNull();
  });
});

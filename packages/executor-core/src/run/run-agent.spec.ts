import type { AgentAdapter, AgentInvocation, AgentOutcome, AgentSession } from '../ports/agent';
import { nodeFileSystem } from '../adapters/node-file-system';
import { HandClock } from '../testing/hand-clock';
import { planOf } from '../testing/plan';
import type { AttemptContext } from './attempt-context';
import { runAgent } from './run-agent';
import { StopOrder } from './stop-order';

const plan = planOf({ tasks: [{ id: 'a', timeoutMs: 1000 }] });

class FakeSession implements AgentSession {
  readonly process = null;
  readonly said: string[] = [];
  end: (outcome: AgentOutcome) => void = () => undefined;
  readonly ended = new Promise<AgentOutcome>((resolve) => {
    this.end = resolve;
  });
  stop(how: string): void {
    this.said.push(how);
  }
  suspend(): void {
    this.said.push('suspend');
  }
  resume(): void {
    this.said.push('resume');
  }
}

/** Resolves when everything that was only waiting for a promise has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scene() {
  const clock = new HandClock();
  const session = new FakeSession();
  const order = new StopOrder();
  const adapter: Pick<AgentAdapter, 'start'> = { start: () => Promise.resolve(session) };
  const context = {
    clock,
    fs: nodeFileSystem(),
    graceMs: 100,
    adapterOf: () => adapter,
    heldBy: () => Promise.resolve('audit'),
  } as unknown as AttemptContext;
  const [task] = plan.tasks;
  const [profile] = plan.agents;
  const invocation = { task, profile, attempt: 1, transcriptPath: '/no/such/log' };
  const result = runAgent(context, invocation as AgentInvocation, order);
  return { clock, session, order, result };
}

describe('the timeout of an attempt', () => {
  it('ends the agent step by step', async () => {
    const { clock, session, result } = scene();
    await settled();
    clock.pass(1000);
    clock.pass(200);
    session.end({ kind: 'signal', signal: 'SIGKILL' });
    expect(await result).toMatchObject({ kind: 'timeout', afterMs: 1000 });
    expect(session.said.slice(0, 3)).toEqual(['interrupt', 'terminate', 'kill']);
  });

  it('stands still while the attempt is suspended', async () => {
    const { clock, session, order, result } = scene();
    await settled();
    clock.pass(900);
    order.suspend();
    clock.pass(1_000_000);
    order.resume();
    clock.pass(99);
    expect(session.said).toEqual(['suspend', 'resume']);
    session.end({ kind: 'done' });
    expect(await result).toBeNull();
    expect(clock.waiting).toBe(0);
  });

  it('reaches an agent that starts while the attempt is suspended', async () => {
    const early = scene();
    early.order.suspend();
    await settled();
    early.clock.pass(5000);
    expect(early.session.said).toEqual(['suspend']);
    early.order.resume();
    early.session.end({ kind: 'done' });
    expect(await early.result).toBeNull();
  });
});

describe('an order to end', () => {
  it('is passed on once per strength, whatever else is ordered', async () => {
    const { session, order, result } = scene();
    await settled();
    order.give('interrupt');
    order.suspend();
    order.give('kill');
    expect(session.said).toEqual(['interrupt', 'suspend', 'kill']);
    session.end({ kind: 'signal', signal: 'SIGKILL' });
    await result;
  });

  it('that follows the agent’s own death by SIGTERM is waited for: the tree ends from its leaves', async () => {
    const { clock, session, order, result } = scene();
    await settled();
    session.end({ kind: 'signal', signal: 'SIGTERM' });
    await settled();
    clock.pass(500);
    order.give('interrupt');
    await result;
    expect(clock.waiting).toBe(0);
  });

  it('is not waited for for long, and not at all after another end', async () => {
    const killed = scene();
    await settled();
    killed.session.end({ kind: 'signal', signal: 'SIGTERM' });
    await settled();
    killed.clock.pass(1000);
    expect(await killed.result).toMatchObject({ kind: 'agent-signal', signal: 'SIGTERM' });
    const crashed = scene();
    await settled();
    crashed.session.end({ kind: 'signal', signal: 'SIGSEGV' });
    expect(await crashed.result).toMatchObject({ kind: 'agent-signal', signal: 'SIGSEGV' });
  });
});

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeasedPorts, TcpPorts } from '../ports/tcp-ports';
import { compileSources, MODULES } from '../testing/compiled-sources';
import { nodeTcpPorts, type TcpPortsOptions } from './node-tcp-ports';

/** Not where everybody else leases, so that nobody at work on this machine is in the way. */
const OWN = 8000;
const FIRST = OWN + 1000;
const ALL = { firstGuard: OWN, ephemeral: { from: 40_000, to: 60_000 } };
/** Twenty times ten ports. */
const SMALL = { firstGuard: OWN, ephemeral: { from: FIRST + 200, to: 65_535 } };

jest.setTimeout(30_000); // a real process on a busy machine

describe('leased ports', () => {
  const leased: LeasedPorts[] = [];
  const servers: Server[] = [];
  let tcpPorts: TcpPorts;

  beforeEach(() => {
    tcpPorts = nodeTcpPorts(ALL);
  });
  afterEach(async () => {
    for (const one of leased.splice(0)) one.release();
    await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')));
  });

  async function lease(count: number, from: TcpPorts = tcpPorts): Promise<LeasedPorts> {
    const ports = await from.lease(count);
    if (ports === null) throw new Error('No ports are free on this machine.');
    leased.push(ports);
    return ports;
  }
  async function listenOn(port: number, host?: string): Promise<void> {
    const server = createServer();
    servers.push(server);
    await once(server.listen({ port, host }), 'listening');
  }
  const portsOf = ({ base, count }: LeasedPorts) =>
    Array.from({ length: count }, (_, at) => base + at);

  it('are no other holder’s, in this process or another, however many ask at once', async () => {
    const others = nodeTcpPorts(ALL);
    const sizes = [1, 10, 11, 25, 1, 10, 11, 25, 100, 3];
    const all = await Promise.all(sizes.map((n, at) => lease(n, at % 2 === 0 ? tcpPorts : others)));
    expect(all.map(({ count }) => count)).toEqual(sizes);
    const ports = all.flatMap(portsOf);
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('can be listened on, all of them, on any address', async () => {
    const { base, count } = await lease(3);
    await listenOn(base);
    await listenOn(base + 1, '127.0.0.1');
    await listenOn(base + count - 1, '0.0.0.0');
  });

  /** Leases ten at a time until there are no more. */
  async function takeAll(options: TcpPortsOptions = SMALL): Promise<readonly number[]> {
    const from = nodeTcpPorts(options);
    const found: LeasedPorts[] = [];
    for (let one = await from.lease(10); one !== null; one = await from.lease(10)) found.push(one);
    leased.push(...found);
    return found.flatMap(portsOf);
  }
  const giveBack = () => {
    for (const one of leased.splice(0)) one.release();
  };

  it('are none on which somebody listens, on whatever address', async () => {
    const usual = await takeAll();
    giveBack();
    const [one = 0, other = 0] = [usual[3], usual[25]];
    await listenOn(one, '127.0.0.1');
    await listenOn(other);
    const now = await takeAll();
    expect(now).toHaveLength(usual.length - 20);
    expect(now).not.toContain(one);
    expect(now).not.toContain(other);
  });

  it('can be had again once they were given back, be it twice', async () => {
    const usual = await takeAll();
    expect(usual.length).toBeGreaterThan(100);
    expect(await takeAll()).toEqual([]);
    const last = leased.pop();
    last?.release();
    last?.release();
    expect(await takeAll()).toEqual(last === undefined ? [] : portsOf(last));
    giveBack();
    expect((await takeAll()).length).toBe(usual.length);
  });

  it('are none of those that the kernel gives to connections', async () => {
    const ephemeral = { from: FIRST + 55, to: FIRST + 9909 };
    const taken = await takeAll({ firstGuard: OWN, ephemeral });
    expect(taken.length).toBeGreaterThan(50);
    for (const port of taken) expect(port < ephemeral.from || port > ephemeral.to).toBe(true);
    const none = nodeTcpPorts({ firstGuard: OWN, ephemeral: { from: 1024, to: 65_535 } });
    expect(await none.lease(1)).toBeNull();
  });

  it('lie below the range that this kernel really has', async () => {
    const { base, count } = await lease(10, nodeTcpPorts());
    expect(base).toBeGreaterThanOrEqual(21_000);
    expect(base + count).toBeLessThanOrEqual(31_000);
  });

  it('are free at once when their holder is killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ports-'));
    try {
      const child = holder(folder);
      const [held] = (await once(child, 'message')) as [{ base: number; count: number }];
      const without = await takeAll();
      expect(without).not.toContain(held.base);
      giveBack();
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await takeAll()).toContain(held.base);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  /** A process that leases a range says which, and stays. */
  function holder(folder: string): ChildProcess {
    compileSources(folder, ['adapters', 'ports', 'model']);
    const script = `
      const { nodeTcpPorts } = require('./adapters/node-tcp-ports.js');
      nodeTcpPorts(${JSON.stringify(SMALL)}).lease(10).then((ports) => process.send(ports));
      setInterval(() => undefined, 1000);
    `;
    writeFileSync(join(folder, 'child.js'), script);
    return fork(join(folder, 'child.js'), [], {
      env: { ...process.env, NODE_PATH: MODULES },
      execArgv: [],
    });
  }
});

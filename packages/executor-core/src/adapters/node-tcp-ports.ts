import { createServer, type Server } from 'node:net';
import type { LeasedPorts, TcpPorts } from '../ports/tcp-ports';
import { readOrNull } from './node-process-table';

/** Ports that belong together: who holds the guard of a cell may use the ports of the cell. */
const CELL = 10;
const CELLS = 1000;
const FIRST_GUARD = 20_000;
/** Of macOS and Windows, as IANA has it; Linux tells. */
const USUAL_EPHEMERAL: PortSpan = { from: 49_152, to: 65_535 };

/** Both ends included. */
interface PortSpan {
  readonly from: number;
  readonly to: number;
}

export interface TcpPortsOptions {
  /** Default: what the kernel says. */
  readonly ephemeral?: PortSpan;
  /** Another one than everybody's is for tests. */
  readonly firstGuard?: number;
}

/**
 * Leases kept by the kernel: the holder of cell n (ports 21000 + 10 n to 21009 + 10 n) listens on its guard, port
 * 20000 + n of the loopback interface. The kernel lets one process do so, of whatever user, run or repository, and
 * ends it with the process; nothing is left to take over. Another network namespace has ports of its own. A program that
 * happens to use a guard costs a cell. The numbers are fixed, so that all versions agree on them.
 *
 * Ports of the kernel's ephemeral range are not leased: it could give one to any connection. Ports on which
 * somebody listens are passed over; elsewhere than on Linux one that listens on a single address may be missed.
 */
export function nodeTcpPorts({
  ephemeral = ephemeralPorts(),
  firstGuard = FIRST_GUARD,
}: TcpPortsOptions = {}): TcpPorts {
  // Processes that start together look in different places, and what was given back rests for a while.
  let next = (process.pid * 25) % CELLS;
  return {
    async lease(count) {
      const cells = Math.ceil(count / CELL);
      for (let tried = 0; tried < CELLS; tried += cells) {
        if (next + cells > CELLS) next = 0;
        const first = next;
        // Before the wait: others of this process look further on.
        next += cells;
        const leased = await tryRange(firstGuard, first, count, ephemeral);
        if (leased !== null) return leased;
      }
      return null;
    },
  };
}

async function tryRange(
  firstGuard: number,
  first: number,
  count: number,
  ephemeral: PortSpan,
): Promise<LeasedPorts | null> {
  const base = firstGuard + CELLS + first * CELL;
  if (base <= ephemeral.to && base + count > ephemeral.from) return null;
  const guards: Server[] = [];
  const release = (): void => {
    for (const guard of guards.splice(0)) guard.close();
  };
  for (let at = 0; at * CELL < count; at += 1) {
    const guard = await listen(firstGuard + first + at, '127.0.0.1');
    if (guard === null) {
      release();
      return null;
    }
    guards.push(guard);
  }
  if (await areFree(base, count)) return { base, count, release };
  release();
  return null;
}

async function areFree(base: number, count: number): Promise<boolean> {
  const ports = Array.from({ length: count }, (_, at) => base + at);
  const servers = await Promise.all(ports.map((port) => listen(port)));
  const found = servers.filter((server) => server !== null);
  await Promise.all(found.map(closed));
  return found.length === count;
}

/** Takes a port and hangs up on whoever calls; `null` when it cannot be had. Keeps no process alive. */
function listen(port: number, host?: string): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.destroy();
    });
    server.once('error', () => {
      resolve(null);
    });
    // `exclusive`: a worker of a cluster would share it with its siblings.
    server.listen({ port, host, exclusive: true }, () => {
      resolve(server.unref());
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function ephemeralPorts(): PortSpan {
  const text = readOrNull('/proc/sys/net/ipv4/ip_local_port_range');
  const [from, to] = (text ?? '').trim().split(/\s+/).map(Number);
  return from === undefined || to === undefined ? USUAL_EPHEMERAL : { from, to };
}

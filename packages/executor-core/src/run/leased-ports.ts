import type { Failure } from '../model/failure';
import type { WorktreeSetup } from '../model/task';
import type { LeasedPorts, TcpPorts } from '../ports/tcp-ports';

/** Ports an attempt, or a worktree for checks, has where the plan does not say. */
const USUAL_COUNT = 10;

/**
 * The ports of whatever runs in one worktree; `null`: it has none. Fails where the plan asks for more than there
 * are: what nobody asked for is not worth a failure.
 */
export async function leasePorts(
  tcpPorts: TcpPorts,
  { ports }: Pick<WorktreeSetup, 'ports'>,
): Promise<
  { readonly failure: null; readonly ports: LeasedPorts | null } | { readonly failure: Failure }
> {
  if (ports === 0) return { failure: null, ports: null };
  const leased = await tcpPorts.lease(ports ?? USUAL_COUNT);
  if (leased !== null || ports === undefined) return { failure: null, ports: leased };
  return { failure: { kind: 'setup-failed', step: `lease ${ports} ports`, tail: NONE_FREE } };
}

const NONE_FREE =
  'There are not as many free TCP ports in a row from 21000 to 30999 outside the range the kernel gives to ' +
  'connections (net.ipv4.ip_local_port_range). Ask for fewer with setup.ports, or for none with 0.';

/** Consecutive TCP ports: `base` and those after it. */
export interface PortRange {
  readonly base: number;
  readonly count: number;
}

/** Ports that are one holder's alone, until they are released or the process ends, however it ends. */
export interface LeasedPorts extends PortRange {
  release(): void;
}

/** The TCP ports of this machine (network namespace) that nobody is given by chance. */
export interface TcpPorts {
  /**
   * Leases `count` ports in a row on which nobody listens, among all processes and users of the machine;
   * `null` when there are none.
   */
  lease(count: number): Promise<LeasedPorts | null>;
}

/**
 * Messages between processes of one machine and one user. A message is any text without a line break;
 * messages of one line arrive in order, each once, or the line closes. Neither a listener nor a line
 * keeps a process alive.
 */
export interface Channel {
  /**
   * Listens, preferably at a socket in `folder` (absolute, private to the user). `accept` is called for
   * every new line and says what becomes of its messages. Rejects when nothing can be listened at.
   */
  listen(folder: string, accept: (line: Line) => LineEvents): Promise<Listener>;
  /** Calls the listener at `address`; `null` when nobody answers there. */
  connect(address: string, events: LineEvents): Promise<Line | null>;
}

export interface Listener {
  /** What `connect` takes, in any process of this user. */
  readonly address: string;
  /** Closes its lines, too. */
  close(): void;
}

/** One end of a connection. */
export interface Line {
  /** Never throws; a message to a closed line is dropped. */
  send(message: string): void;
  close(): void;
}

export interface LineEvents {
  onMessage(message: string): void;
  /** The other end, or its process, has gone; called once, also after `close`. */
  onClose(): void;
}

/** One output stream as the commands see it. */
export interface Out {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** `true` once the reader went away; writes are dropped from then on. */
  readonly closed: boolean;
  write(text: string): void;
  /** Calls back when the terminal's size changes; the returned function ends it. */
  onResize(callback: () => void): () => void;
  /** Calls back once the reader went away; the returned function ends it. */
  onClose(callback: () => void): () => void;
}

/**
 * Wraps a process stream. A reader that goes away (`| head`) is no error: what is written after is
 * dropped, so that a run goes on and lands its work.
 */
export function outOf(stream: NodeJS.WriteStream): Out {
  let closed = false;
  const listeners = new Set<() => void>();
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    closed = true;
    for (const listener of listeners) listener();
  });
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    get rows() {
      return stream.isTTY ? stream.rows : undefined;
    },
    get closed() {
      return closed;
    },
    write(text) {
      if (!closed) stream.write(text);
    },
    onResize(callback) {
      stream.on('resize', callback);
      return () => stream.off('resize', callback);
    },
    onClose(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
  };
}

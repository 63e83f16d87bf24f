import type { Failure } from '../model/failure';
import type { AgentOutcome } from '../ports/agent';
import type { FileSystem } from '../ports/file-system';
import { logTail } from '../verify/log-tail';

/** UTF-16 units of output that go into a failure, and bytes that hold as many in any case. */
const TAIL_CHARS = 4000;
const TAIL_BYTES = 4 * TAIL_CHARS;

/** The failure an agent's end stands for; `null` when it is done. */
export function failureOf(outcome: AgentOutcome, tail: string): Failure | null {
  switch (outcome.kind) {
    case 'done':
      return null;
    case 'try-later':
      return { kind: 'try-later', tail };
    case 'exit':
      return { kind: 'agent-exit', code: outcome.code, tail };
    case 'signal':
      return { kind: 'agent-signal', signal: outcome.signal, tail };
    case 'error':
      return { kind: 'agent-error', message: outcome.message };
  }
}

/** The end of a log, as text: at most 4,000 UTF-16 units, invalid UTF-8 replaced. */
export async function readTail(fs: FileSystem, path: string): Promise<string> {
  const size = await fs.size(path);
  if (size === null) return '';
  const bytes = await fs.readFrom(path, Math.max(0, size - TAIL_BYTES));
  return logTail(bytes, TAIL_CHARS);
}

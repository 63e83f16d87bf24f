import type { RunEvent, RunView } from '@parallel-executor/core';
import { describeEvent } from '@parallel-executor/core';
import type { Deps } from '../deps';
import { heartbeat } from '../run-messages';
import type { Reporter } from './reporter';
import { padStart, plainText } from './text-width';

const HEARTBEAT_MS = 60_000;

/**
 * One line per state change, with the time since the start: for logs, CI and screen readers. A
 * minute without a line gets a sign of life.
 */
export function plain(deps: Pick<Deps, 'stderr' | 'now' | 'every'>): Reporter {
  const begun = deps.now();
  let latest: { readonly view: RunView } | null = null;
  let startedAt: number | null = null;
  let lastLineAt = begun;
  const print = (line: string): void => {
    lastLineAt = deps.now();
    const seconds = Math.max(0, lastLineAt - (startedAt ?? begun)) / 1000;
    deps.stderr.write(`[${padStart(seconds.toFixed(1), 7)}s] ${line}\n`);
  };
  const stopTicking = deps.every(HEARTBEAT_MS / 4, () => {
    if (latest !== null && deps.now() - lastLineAt >= HEARTBEAT_MS) print(heartbeat(latest.view));
  });
  return {
    onEvent(event: RunEvent, live: { readonly view: RunView }) {
      latest = live;
      startedAt ??= live.view.startedAt;
      const line = describeEvent(event, () => live.view);
      if (line !== null) print(plainText(line));
    },
    note(text) {
      deps.stderr.write(`${text}\n`);
    },
    end() {
      stopTicking();
    },
  };
}

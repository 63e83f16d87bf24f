import type { RunView } from '@parallel-executor/core';
import type { Deps } from '../deps';
import type { ColorChoice } from './capabilities';
import { capabilitiesOf } from './capabilities';
import { frame } from './frame';
import { Painter } from './painter';
import type { Reporter } from './reporter';

const FRAME_MS = 100;
/** Elapsed times and estimates move without events. */
const IDLE_FRAMES = 10;

/** The live panel on stderr: at most ten frames a second, and only when something changed. */
export function dashboard(
  deps: Pick<Deps, 'stderr' | 'env' | 'now' | 'every'>,
  color: ColorChoice,
): Reporter {
  const painter = new Painter(deps.stderr);
  let latest: { readonly view: RunView } | null = null;
  let dirty = false;
  let skipped = 0;
  const paint = (): void => {
    if (latest === null) return;
    dirty = false;
    skipped = 0;
    painter.paint(frame(latest.view, capabilitiesOf(deps.stderr, deps.env, color), deps.now()));
  };
  const stopTicking = deps.every(FRAME_MS, () => {
    skipped += 1;
    if (dirty || skipped >= IDLE_FRAMES) paint();
  });
  const stopResizing = deps.stderr.onResize(() => {
    painter.forget();
    dirty = true;
  });
  return {
    onEvent(_event, live) {
      const first = latest === null;
      latest = live;
      dirty = true;
      if (first) paint();
    },
    note(text) {
      painter.insert(text);
    },
    end(view) {
      stopTicking();
      stopResizing();
      latest = { view };
      paint();
      painter.stop();
    },
  };
}

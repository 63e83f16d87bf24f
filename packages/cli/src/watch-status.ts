import type { Plan, RunReader, RunView } from '@parallel-executor/core';
import { emptyView, RunFold } from '@parallel-executor/core';
import type { Context } from './context';
import type { ExitCode } from './exit-codes';
import { ExitCode as Exit } from './exit-codes';
import { statusAnswer } from './status-answer';
import { attentionText } from './ui/attention-text';
import { canPaint, capabilitiesOf } from './ui/capabilities';
import { frame } from './ui/frame';
import { Painter } from './ui/painter';

const REFRESH_MS = 500;

/** `over`: the run ended; `gone`: its process did; `left`: Ctrl-C; `unread`: nobody reads stdout. */
type Ending = 'over' | 'gone' | 'left' | 'unread';

/** Where the changing status is shown. */
interface Screen {
  /** Elapsed times move without events. */
  readonly moves: boolean;
  show(view: RunView): void;
  stop(): void;
}

/**
 * `status --watch`: shows a run until it is over or its process is gone. Ctrl-C ends the watching,
 * never the run. With `--json` (or without a terminal) one object (one panel) per change.
 */
export async function watchStatus(
  context: Context,
  reader: RunReader,
  json: boolean,
): Promise<ExitCode> {
  const screen = json ? jsonScreen(context, reader.plan) : panelScreen(context);
  const fold = new RunFold(emptyView(reader.plan, (await reader.durations()).estimate));
  let changed = false;
  const refresh = (): void => {
    if (changed || (screen.moves && fold.view.id !== null)) screen.show(fold.view);
    changed = false;
  };
  const stopFollowing = reader.follow((events) => {
    const first = fold.view.id === null;
    for (const event of events) fold.apply(event);
    changed = true;
    if (first) refresh();
  });
  try {
    const ending = await untilEnd(context, reader, () => {
      refresh();
      return fold.view.outcome !== null;
    });
    screen.stop();
    if (!json && (ending === 'over' || ending === 'gone')) {
      const caps = context.stdoutCapabilities();
      context.answer(attentionText(reader.plan, fold.view, ending === 'over', caps));
    }
    return ending === 'left' ? Exit.interrupted : Exit.ok;
  } finally {
    screen.stop();
    stopFollowing();
  }
}

/** `look` shows what is new and tells whether the run is over. */
async function untilEnd(context: Context, reader: RunReader, look: () => boolean): Promise<Ending> {
  const { deps } = context;
  const stops: (() => void)[] = [];
  try {
    return await new Promise<Ending>((resolve, reject) => {
      const tick = (): void => {
        if (look()) resolve('over');
        else
          reader.ownerAlive().then((alive) => {
            if (!alive) resolve('gone');
          }, reject);
      };
      stops.push(deps.every(REFRESH_MS, tick));
      stops.push(
        deps.onSignal('SIGINT', () => {
          resolve('left');
        }),
      );
      stops.push(
        deps.stdout.onClose(() => {
          resolve('unread');
        }),
      );
      tick();
    });
  } finally {
    for (const stop of stops) stop();
  }
}

function jsonScreen(context: Context, plan: Plan): Screen {
  return {
    moves: false,
    show(view) {
      const answer = statusAnswer(plan, view, context.deps.now());
      context.deps.stdout.write(`${JSON.stringify(answer)}\n`);
    },
    stop() {
      // Nothing to put back.
    },
  };
}

function panelScreen(context: Context): Screen {
  const { stdout, env } = context.deps;
  const lines = (view: RunView): string[] =>
    frame(view, capabilitiesOf(stdout, env, context.color), context.deps.now());
  if (!canPaint(stdout, env)) {
    return {
      moves: false,
      show(view) {
        context.answer(lines(view));
      },
      stop() {
        // Nothing to put back.
      },
    };
  }
  const painter = new Painter(stdout);
  return {
    moves: true,
    show(view) {
      painter.paint(lines(view));
    },
    stop() {
      painter.stop();
    },
  };
}

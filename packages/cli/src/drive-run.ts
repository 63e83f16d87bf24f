import type { Run, RunReader } from '@parallel-executor/core';
import type { Context } from './context';
import type { StopSignal } from './deps';
import type { ExitCode } from './exit-codes';
import { ExitCode as Exit, exitCodeOf } from './exit-codes';
import { LiveFold } from './live-fold';
import { interruptText, terminateText } from './run-messages';
import type { ProgressChoice } from './ui/progress-choice';
import { chooseReporter } from './ui/choose-reporter';
import { summaryText } from './ui/summary-text';

export interface DriveOptions {
  readonly progress: ProgressChoice;
  readonly json: boolean;
}

/**
 * Shows a run until its end, passes signals on, prints the outcome. Listens before it first yields,
 * so that no event is missed; `past` is the journal of a run that is continued.
 */
export async function driveRun(
  context: Context,
  run: Run,
  options: DriveOptions,
  past: Pick<RunReader, 'events'> | null = null,
): Promise<ExitCode> {
  const reporter = chooseReporter(context, options);
  const live = new LiveFold(run, (event, fold) => {
    reporter.onEvent(event, fold);
  });
  const stopListening = run.events.on((event) => {
    live.take(event);
  });
  for (const note of run.notes) reporter.note(note);
  const signals = watchSignals(context, run, {
    active: () => live.view.counts.active,
    note: (text) => {
      reporter.note(text);
    },
  });
  try {
    await live.catchUp(past);
    const result = await run.done;
    reporter.end(live.view);
    if (options.json) context.answerJson(result);
    else
      context.answer(summaryText(result, live.view, run.reportPath, context.stdoutCapabilities()));
    return signals.exitCode() ?? exitCodeOf(result);
  } catch (error) {
    reporter.end(live.view);
    throw error;
  } finally {
    stopListening();
    signals.stop();
  }
}

interface Narrator {
  active(): number;
  note(text: string): void;
}

interface SignalWatch {
  /** The exit code a signal asks for, or `null` when none came. */
  exitCode(): ExitCode | null;
  stop(): void;
}

/** Ctrl-C: first drains, second stops, third kills. SIGTERM and SIGHUP stop. */
function watchSignals(context: Context, run: Run, narrator: Narrator): SignalWatch {
  let interrupts = 0;
  let asked: ExitCode | null = null;
  const onInterrupt = (): void => {
    interrupts += 1;
    asked = Exit.interrupted;
    narrator.note(interruptText(interrupts, narrator.active()));
    run.stop(interrupts === 1 ? 'drain' : interrupts === 2 ? 'stop' : 'kill');
  };
  const onTerminate = (signal: StopSignal) => (): void => {
    asked = Exit.terminated;
    narrator.note(terminateText(signal));
    run.stop('stop');
  };
  const stops = [
    context.deps.onSignal('SIGINT', onInterrupt),
    context.deps.onSignal('SIGTERM', onTerminate('SIGTERM')),
    context.deps.onSignal('SIGHUP', onTerminate('SIGHUP')),
  ];
  return {
    exitCode: () => asked,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

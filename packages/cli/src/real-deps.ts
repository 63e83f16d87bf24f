import type { Deps } from './deps';
import { lazy } from './lazy';
import { outOf } from './terminal';

/** The real world. Loads the engine when a workspace is opened, not before. */
export function realDeps(): Deps {
  return {
    stdout: outOf(process.stdout),
    stderr: outOf(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    openWorkspace: (cwd) => lazy.engine().openWorkspace(cwd),
    now: () => Date.now(),
    every(ms, callback) {
      const timer = setInterval(callback, ms);
      return () => {
        clearInterval(timer);
      };
    },
    onSignal(signal, callback) {
      process.on(signal, callback);
      return () => process.off(signal, callback);
    },
  };
}

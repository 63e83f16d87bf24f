import type { Context } from '../context';
import { canPaint } from './capabilities';
import { dashboard } from './dashboard';
import { ndjson } from './ndjson';
import { plain } from './plain';
import type { ProgressChoice } from './progress-choice';
import type { Reporter } from './reporter';
import { silent } from './silent';

/**
 * `auto` paints where it can and prints lines elsewhere. Events as NDJSON are an answer and go to
 * stdout, unless `--json` needs it for the result.
 */
export function chooseReporter(
  context: Context,
  options: { readonly progress: ProgressChoice; readonly json: boolean },
): Reporter {
  const { deps, color } = context;
  switch (options.progress) {
    case 'auto':
      return canPaint(deps.stderr, deps.env) ? dashboard(deps, color) : plain(deps);
    case 'tty':
      return dashboard(deps, color);
    case 'plain':
      return plain(deps);
    case 'json':
      return ndjson(options.json ? deps.stderr : deps.stdout, deps.stderr);
    case 'none':
      return silent(deps.stderr);
  }
}

import type { RunResult } from '@parallel-executor/core';
import { plainText } from './text-width';
import type { Theme } from './theme';

/** Where the work of a run is, and how it gets to where it belongs. */
export function landingText(
  landing: RunResult['landing'],
  { ref, commit, held }: RunResult['target'],
  theme: Theme,
): readonly string[] {
  if (held !== null) return [theme.paint('warn', `The branch was not moved: ${plainText(held)}`)];
  const { mode, ref: place, take, pull_requests: requests } = landing;
  const isAt =
    ref === null || commit === null
      ? []
      : [`${ref.replace(/^refs\/heads\//, '')} is at ${commit.slice(0, 10)}`];
  const kept =
    mode === 'none' && take !== null ? [`No branch was moved; the work is at ${place}`] : [];
  const asked = requests.map(({ branch, url, reason }) =>
    url === null
      ? theme.paint('warn', `No pull request: ${plainText(reason ?? '')}`)
      : `Pull request for ${branch}: ${url}`,
  );
  return [...isAt, ...kept, ...asked, ...(take === null ? [] : [`Take it with: ${take}`])];
}

import type { Located } from './located';
import { readPlain } from './read-plain';
import type * as FullReader from './read-yaml';
import type { Report } from './report';

const MAX_TEXT = 16 * 1024 * 1024;

/**
 * Reads the text of a plan into values with their places: quickly what is plain, and whatever else is
 * YAML with a full reader that is loaded then.
 *
 * @returns `null` when something was reported that leaves nothing to check.
 */
export function readText(text: string, report: Report): Located | null {
  if (text.length > MAX_TEXT) {
    report.error('too-large', { offset: 0, length: 1 }, 'The plan is larger than 16 MiB.');
    return null;
  }
  return readPlain(text) ?? fullReader().readYaml(text, report);
}

function fullReader(): typeof FullReader {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- few plans need it
  return require('./read-yaml') as typeof FullReader;
}

import type {
  CleanReport,
  CleanResult,
  CleanVerdict,
  Leftover,
  LeftRun,
  QuarantinedTask,
} from '@parallel-executor/core';
import { countText, durationText } from '@parallel-executor/core';
import { plainText } from './text-width';

/** What is left, run by run, and what a clean would make of it. `root` shortens paths; `now` is epoch ms. */
export function leftoversText(
  { runs, verdicts }: CleanReport,
  root: string,
  now: number,
): readonly string[] {
  if (verdicts.length === 0) return ['Nothing is left of any run.'];
  const lines = runs.flatMap((run) => {
    const own = verdicts.filter(({ item }) => item.run === run.id);
    return own.length === 0 ? [] : [...runLines(run, own, root, now), ''];
  });
  const nobodys = verdicts.filter(({ item }) => item.run === null);
  const rest = nobodys.length === 0 ? [] : ['of no run', ...itemLines(nobodys, root), ''];
  return [...lines, ...rest, ...advice(verdicts)].map(safeLine);
}

/** What goes although it has not landed, with the ids that bring it back. Empty when nothing does. */
export function unlandedText({ verdicts }: CleanReport, root: string): readonly string[] {
  const asked = verdicts.filter(({ fate }) => fate === 'asked');
  if (asked.length === 0) return [];
  return [
    'This goes although it has not landed:',
    ...asked.map(({ item }) => `  ${nameOf(item, root)}`),
    'Until git gc removes it, git branch NAME ID brings a commit back.',
  ].map(safeLine);
}

/** Everything that was removed, by name, and what could not be. */
export function cleanedText(
  { removed, failed, ended, verdicts }: CleanResult,
  root: string,
): readonly string[] {
  const stay = verdicts.filter(({ fate, item }) => fate === 'stays' && item.kind !== 'folder');
  const lines = [
    ...(ended === 0
      ? []
      : [`ended ${ended} process${ended === 1 ? '' : 'es'} of the run that was given up`]),
    ...removed.map(({ item, saved }) => {
      const kept = saved === null ? '' : `; what was only there is now ${saved}`;
      return `removed ${nameOf(item, root)}${kept}`;
    }),
    ...failed.map(({ item, why }) => `not removed ${nameOf(item, root)}: ${why}`),
  ];
  const none = lines.length === 0 ? ['Nothing to remove.'] : [];
  const left =
    stay.length === 0
      ? []
      : [
          `${countText(stay.length, 'thing')} left as ${stay.length === 1 ? 'it is' : 'they are'}; parallel-cli clean tells why.`,
        ];
  return [...lines, ...none, ...left].map(safeLine);
}

function runLines(
  run: LeftRun,
  verdicts: readonly CleanVerdict[],
  root: string,
  now: number,
): readonly string[] {
  const folder = verdicts.find(({ item }) => item.kind === 'folder')?.item;
  const facts: string[] = [run.standing];
  if (folder?.kind === 'folder') {
    if (folder.changedAt !== null)
      facts.push(`${durationText(Math.max(0, now - folder.changedAt))} ago`);
    facts.push(sizeText(folder.bytes));
  }
  return [
    `${run.id} (${facts.join(', ')})`,
    ...itemLines(verdicts, root),
    ...run.quarantined.map(quarantineLine),
  ];
}

/** Things with the same fate for the same reason are counted, unless they hold work. */
function itemLines(verdicts: readonly CleanVerdict[], root: string): readonly string[] {
  const lines: string[] = [];
  const counted = new Map<string, number>();
  for (const { item, fate, why } of verdicts) {
    if (item.kind === 'ref' && item.role === 'candidate' && fate !== 'asked' && item.landed) {
      const line = `candidates: ${why}`;
      const key = `${fate} ${line}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    } else lines.push(`  ${mark(fate)} ${nameOf(item, root)}: ${why}`);
  }
  for (const [key, count] of counted) {
    const [fate = '', ...words] = key.split(' ');
    const text = words.join(' ').replace(/^candidates/, countText(count, 'candidate'));
    lines.push(`  ${mark(fate)} ${text}`);
  }
  return lines;
}

function quarantineLine({ task, state, reason, refs }: QuarantinedTask): string {
  const where = refs[0] === undefined ? 'it left no work' : `its work: ${refs[0]}`;
  return `  ! ${task} ${state}: ${oneLine(reason)}; ${where}`;
}

/** What agents and folders are called cannot steer the terminal; the indent stays. */
function safeLine(line: string): string {
  return `${/^ */.exec(line)?.[0] ?? ''}${plainText(line)}`;
}

function oneLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** `-` goes with `--force`, `?` may, `=` stays. */
function mark(fate: string): string {
  if (fate === 'proven' || fate === 'asked') return '-';
  return fate === 'if-saved' ? '?' : '=';
}

function nameOf(item: Leftover, root: string): string {
  switch (item.kind) {
    case 'worktree':
      return `worktree ${shorten(item.path, root)}${item.task === null ? '' : ` of ${item.task}`}`;
    case 'branch':
      return `branch ${item.branch} (${item.commit})`;
    case 'ref':
      return `${item.ref} (${item.commit})`;
    case 'folder':
      return `folder ${shorten(item.path, root)}`;
    case 'trash':
      return `trash ${shorten(item.path, root)}`;
  }
}

function shorten(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function advice(verdicts: readonly CleanVerdict[]): readonly string[] {
  const going = verdicts.filter(({ fate }) => fate !== 'stays').length;
  const stay = verdicts.length - going;
  return [
    `${going} of ${countText(verdicts.length, 'thing')} would go (-), ${stay} stay${stay === 1 ? 's' : ''} (=). Nothing was changed.`,
    ...(going === 0 ? [] : ['Remove what would go with --force added to the same command.']),
  ];
}

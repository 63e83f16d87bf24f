import type { ConflictPolicy } from '../../model/task';
import type { Git } from '../../ports/git';
import type { Winner } from './policy-rung';

/** What the policies ask: who is landing, and what the plan says of those who landed. */
export interface Contest {
  readonly git: Git;
  readonly cwd: string;
  /** Commit to land on, and the commit from which on its history counts. */
  readonly ours: string;
  readonly since: string;
  /** Candidate commit and its task. */
  readonly theirs: string;
  readonly task: string | null;
  /** 0..100 by task; `null`: the plan has no such task. */
  readonly priorityOf: (task: string) => number | null;
}

/** Who changed a path on the target, newest first. */
interface Change {
  /** Epoch seconds of the work: of the candidate that landed, or of the commit itself. */
  readonly when: number;
  /** `null`: a commit of a person. */
  readonly task: string | null;
}

const FORMAT =
  '%H%x00%ct%x00%(trailers:key=Parallel-Task,valueonly,separator=%x2C)%x00%(trailers:key=Parallel-Candidate,valueonly,separator=%x2C)';

/**
 * Who wins `path` under a policy that chooses; `null` under the others. `priority`: the candidate, when
 * its task ranks above every task that changed the path on the target; what a person committed ranks
 * above all. `theirs-if-newer`: the candidate, when it was committed after the last change on the
 * target, where a landed task counts from the commit of its own candidate. The target wins a tie.
 */
export async function winnerOf(
  policy: ConflictPolicy,
  path: string,
  contest: Contest,
): Promise<Winner | null> {
  if (policy !== 'priority' && policy !== 'theirs-if-newer') return null;
  const changes = await changesOf(path, contest);
  return policy === 'priority' ? byPriority(changes, contest) : await byTime(changes, contest);
}

function byPriority(changes: readonly Change[], { task, priorityOf }: Contest): Winner {
  const own = task === null ? null : priorityOf(task);
  const ranks = changes.map((change) =>
    change.task === null ? Infinity : (priorityOf(change.task) ?? Infinity),
  );
  const highest = Math.max(...ranks, -Infinity);
  if (own !== null && ranks.length > 0 && own > highest) {
    return { side: 'theirs', reason: `priority ${own} against ${highest}: the candidate wins` };
  }
  const against = highest === Infinity ? 'a commit made by hand' : `priority ${highest}`;
  const why = ranks.length === 0 ? 'nobody known' : against;
  return { side: 'ours', reason: `priority ${own ?? 'unknown'} against ${why}: the target wins` };
}

async function byTime(changes: readonly Change[], { git, cwd, theirs }: Contest): Promise<Winner> {
  const own = await committedAt(git, cwd, theirs);
  const last = Math.max(...changes.map(({ when }) => when), -Infinity);
  return own !== null && changes.length > 0 && own > last
    ? { side: 'theirs', reason: 'the candidate was committed last and wins' }
    : { side: 'ours', reason: 'the candidate was not committed last: the target wins' };
}

async function changesOf(
  path: string,
  { git, cwd, since, ours }: Contest,
): Promise<readonly Change[]> {
  const range = `${since}..${ours}`;
  const args = [
    '--literal-pathspecs',
    'log',
    '--no-merges',
    `--format=${FORMAT}`,
    range,
    '--',
    path,
  ];
  const changes: Change[] = [];
  for (const line of (await git.text(args, { cwd })).split('\n').filter((text) => text !== '')) {
    const [, time = '', task = '', candidate = ''] = line.split('\0');
    const made = candidate === '' ? null : await committedAt(git, cwd, candidate);
    changes.push({ when: made ?? Number(time), task: task === '' ? null : task });
  }
  return changes;
}

/** Epoch seconds; `null` when there is no such commit (any more). */
async function committedAt(git: Git, cwd: string, commit: string): Promise<number | null> {
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return null;
  const { exitCode, stdout } = await git.run(['show', '-s', '--format=%ct', commit], { cwd });
  return exitCode === 0 ? Number(stdout.trim()) : null;
}

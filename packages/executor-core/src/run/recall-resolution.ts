import { join } from 'node:path';
import type { HelperAnswer, TextVersions } from '../merge/ladder/ladder-helpers';
import type { LadderTools } from './ladder-tools';
import { withFolder } from './ladder-tools';

const FILE = 'conflict';
/** Of a larger cache the rest is not looked at: it is copied for each conflict. */
const MOST_ENTRIES = 500;
const BLOB = '1'.repeat(40);

/**
 * Looks up how the user resolved the same conflict before, where `git rerere` is enabled for the
 * repository. git looks itself, in a repository of our own with a copy of what was recorded: it would
 * note the conflict in the user's cache otherwise.
 */
export function recallResolution(
  tools: LadderTools,
): (conflict: TextVersions) => Promise<HelperAnswer | null> {
  const { fs, commonDir } = tools;
  return async ({ marked }) => {
    const cache = join(commonDir, 'rr-cache');
    if (!(await fs.exists(cache)) || !(await isEnabled(tools))) return null;
    return withFolder(fs, async (folder) => {
      if ((await copyResolutions(tools, cache, join(folder, '.git', 'rr-cache'))) === 0)
        return null;
      const content = await replay(tools, folder, marked);
      return content === null ? null : { content, reason: 'resolved as it was before' };
    });
  };
}

/** As git decides: the folder alone enables it, unless the configuration says no. */
async function isEnabled({ git, root }: LadderTools): Promise<boolean> {
  const args = ['config', '--type=bool', 'rerere.enabled'];
  return (await git.run(args, { cwd: root })).stdout.trim() !== 'false';
}

/** Resolves with how many conflicts with a resolution there are. */
async function copyResolutions({ fs }: LadderTools, from: string, to: string): Promise<number> {
  let copied = 0;
  for (const id of (await fs.list(from)).slice(0, MOST_ENTRIES)) {
    const files = await fs.list(join(from, id));
    if (!files.some((name) => name.startsWith('postimage'))) continue;
    await fs.makeDir(join(to, id));
    for (const name of files.filter((one) => /^(?:pre|post)image/.test(one))) {
      await fs.replace(join(to, id, name), await fs.readFrom(join(from, id, name), 0));
    }
    copied += 1;
  }
  return copied;
}

async function replay(
  { git, fs }: LadderTools,
  folder: string,
  marked: Buffer,
): Promise<Buffer | null> {
  const gitDir = join(folder, '.git');
  const env = {
    ...{ GIT_DIR: gitDir, GIT_COMMON_DIR: gitDir, GIT_WORK_TREE: folder },
    ...{ GIT_INDEX_FILE: join(gitDir, 'index'), GIT_CONFIG_NOSYSTEM: '1' },
  };
  const file = join(folder, FILE);
  await fs.replace(file, marked);
  await git.run(['init', '--quiet', folder], { cwd: folder, env });
  const stages = [1, 2, 3].map((stage) => `100644 ${BLOB} ${stage}\t${FILE}\n`).join('');
  const index = { cwd: folder, env, stdin: stages };
  if ((await git.run(['update-index', '--index-info'], index)).exitCode !== 0) return null;
  const args = ['-c', 'rerere.enabled=true', '-c', 'rerere.autoUpdate=false', 'rerere'];
  if ((await git.run(args, { cwd: folder, env })).exitCode !== 0) return null;
  const content = await fs.readFrom(file, 0);
  return content.equals(marked) ? null : content;
}

import * as z from 'zod';
import { commands, flag, globs, mapping, name, oneOf, positive, text, texts } from './schema-words';

const MOST_SLOTS = 16;
const MOST_RESOLVER_ATTEMPTS = 10;
const CONFLICT_TOOL_CHOICES = ['auto', 'off'] as const;

const conflicts = z
  .strictObject(
    {
      rerere: oneOf(CONFLICT_TOOL_CHOICES).meta({
        description: 'Resolutions git rerere recorded: auto, where the user has it enabled; off.',
      }),
      structural: flag.meta({
        description: 'Rules for kinds of files: JSON by keys, lockfiles, lists of exports.',
      }),
      union: globs.meta({
        description:
          'Files whose added lines are kept from both sides; changelogs by default. Globs as in writes.',
      }),
      entity: oneOf(CONFLICT_TOOL_CHOICES).meta({
        description: 'Merge by functions and classes: auto, with mergiraf or weave on PATH; off.',
      }),
      resolver: name('an agent').meta({
        description:
          'Agent that gets what the rules and the policy leave open, before the task runs again.',
      }),
      attempts: positive
        .max(MOST_RESOLVER_ATTEMPTS, `it must be ${MOST_RESOLVER_ATTEMPTS} or less`)
        .meta({ description: 'How often the resolver may try one conflict; 1 by default.' }),
    },
    mapping('rerere, structural, union, entity, resolver and attempts'),
  )
  .partial()
  .meta({
    description: 'How conflicts are settled before a person is asked, or the task runs again.',
  });

/** Keys of `parallel_executor` about how work is merged, checked and landed. */
export const landingKeys = {
  merge_strategy: oneOf(['recursive', 'ours', 'theirs']).meta({
    description:
      'recursive, or which side wins a hunk that both changed: ours, what has landed; theirs, the new work.',
  }),
  merge_options: texts('a merge option').meta({
    description: 'Options of git merge, as after -X, such as ignore-space-change.',
  }),
  land: oneOf(['target', 'branch', 'pr', 'none']),
  pull_requests: oneOf(['run', 'lane', 'task']).meta({
    description:
      'With land: pr, what one pull request holds: the run, tasks that are linked, or a task.',
  }),
  commits: oneOf(['linear', 'squash', 'merge']).meta({
    description:
      'What the target gets: linear, a commit per task; squash, one commit for the run; merge, a merge commit per task.',
  }),
  commit: z
    .strictObject(
      {
        author: text('user, agent or "Name <mail>"').meta({
          description: 'user; agent, the profile that did the work; or "Name <mail>".',
        }),
        sign: oneOf(['auto', 'always', 'never']).meta({
          description: 'Sign what lands: auto, as commit.gpgSign of git says.',
        }),
      },
      mapping('author and sign'),
    )
    .partial(),
  verify: commands.meta({
    description: 'Commands that must pass on the merged tree before it lands.',
  }),
  verify_slots: positive
    .max(MOST_SLOTS, `it must be ${MOST_SLOTS} or less`)
    .meta({ description: 'Merged trees checked at once, each in a worktree of its own.' }),
  verify_each: flag.meta({
    description: 'Check every commit that lands, not only the last of those that land together.',
  }),
  lanes: oneOf(['auto', 'on', 'off']).meta({
    description: 'Whether changes that can affect no common Nx project are checked and land apart.',
  }),
  conflicts,
};

import type { ResolveResult } from '@parallel-executor/core';
import { plainText } from './text-width';

/** What a person is told of a conflict that is open, or was given up. */
export function resolveText(
  task: string,
  result: Exclude<ResolveResult, { readonly kind: 'resolved' }>,
): readonly string[] {
  if (result.kind === 'aborted') {
    const saved = result.saved === null ? '' : ` What was made there is kept: ${result.saved}`;
    return [
      `The worktree of ${task} is gone, and ${task} still waits for a person.${saved}`,
      `Begin again: parallel-cli resolve ${task}`,
      `Have it done anew: parallel-cli retry ${task}`,
    ];
  }
  const { path, isNew, paths, left } = result;
  const files = paths.map((file) => {
    const state = left.includes(file) ? 'in conflict' : 'settled';
    return `  ${plainText(file)} (${state})`;
  });
  const what =
    paths.length === 0
      ? [`${task} merges cleanly by now: there is nothing to edit.`]
      : [
          `The conflict of ${task} ${isNew ? 'is open' : 'was opened before'} in ${path}:`,
          ...files,
          '"ours" is what has landed, "theirs" is what the task did.',
        ];
  const edit = left.length === 0 ? [] : ['Edit the files there, then git add (or git rm) them.'];
  return [
    ...what,
    ...edit,
    `Land it: parallel-cli resolve ${task} --continue`,
    `Give the worktree up: parallel-cli resolve ${task} --abort`,
  ];
}

import type { Plan } from '../model/task';
import type { Engine } from './engine';

/** What a person should know before a run starts, a sentence or two each. */
export function notesOf(engine: Engine, plan: Plan): readonly string[] {
  const { repository } = engine;
  const notes: string[] = [];
  if (repository.dirtyFiles > 0) {
    const files =
      repository.dirtyFiles === 1
        ? '1 uncommitted file is'
        : `${repository.dirtyFiles} uncommitted files are`;
    notes.push(
      `Runs from HEAD (${repository.head.slice(0, 10)}); ${files} left alone and not seen by any agent.`,
    );
  }
  if (repository.branch === null && plan.settings.land === 'target') {
    notes.push(
      'HEAD is detached, so there is no branch to land on: the work lands on a branch parallel/<run>.',
    );
  }
  return notes;
}

/** A small, wrong change to one file of the scheduler, as somebody might make it by mistake. */
export interface Mutant {
  readonly name: string;
  /** File in `schedule/`. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const mutant = (name: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file,
  find,
  replace,
});

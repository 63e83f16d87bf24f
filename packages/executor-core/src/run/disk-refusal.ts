import { diskTroubleOf } from '../model/disk-trouble';
import { UserError } from '../model/user-error';

/**
 * Does `work`; where the disk refuses it, rejects with a `UserError` that says so: `what` did not happen
 * (a sentence without its full stop), `fix` is what the person can do.
 */
export async function tellDiskRefusal<T>(
  what: string,
  fix: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (diskTroubleOf(error) === null) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError('environment', `${what}: the disk refuses (${why}).`, fix);
  }
}

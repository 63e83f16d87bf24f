import type { DiskTrouble } from '../model/disk-trouble';
import { diskTroubleOf } from '../model/disk-trouble';
import { UserError } from '../model/user-error';

/** The journal could not store what it was given: none of it counts, and it may be given again. */
export class JournalRefusal extends UserError {
  /** What it says about the disk; `null` when the cause is another. */
  readonly trouble: DiskTrouble | null;

  constructor(override readonly cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      'environment',
      `The journal cannot be written: ${why}`,
      'Make room on the disk or mend it, then continue with `parallel-cli resume`.',
    );
    this.trouble = diskTroubleOf(cause);
  }
}

/** The refusal that an error of the disk means. */
export function refusalOf(error: unknown): JournalRefusal {
  return error instanceof JournalRefusal ? error : new JournalRefusal(error);
}

import { UserError } from '../model/user-error';
import type { Toolbox } from './toolbox';

/** Called by an agent: declares that its task needs no change, and why. Throws `UserError` for anybody else. */
export async function declareNoop(
  { fs, env }: Pick<Toolbox, 'fs' | 'env'>,
  reason: string,
): Promise<void> {
  const file = env['PARALLEL_NOOP_FILE'];
  if (file === undefined) {
    throw new UserError(
      'usage',
      'A no-op is declared by agents: PARALLEL_NOOP_FILE is not set.',
      null,
    );
  }
  if (reason.trim() === '') {
    throw new UserError(
      'usage',
      'A no-op needs a reason.',
      'Say why nothing is to be changed: parallel-cli progress --noop "all routes are wired"',
    );
  }
  await fs.writeAtomic(file, `${reason.trim()}\n`);
}

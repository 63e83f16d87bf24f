import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Context } from './context';
import type { ExitCode } from './exit-codes';
import { ExitCode as Exit } from './exit-codes';

const POLL_MS = 300;
const CHUNK_BYTES = 64 * 1024;

/**
 * Prints a file and what is appended to it, until `isGrowing` says that no more comes, Ctrl-C, or
 * nobody reads stdout.
 */
export async function followFile(
  context: Context,
  path: string,
  isGrowing: () => Promise<boolean>,
): Promise<ExitCode> {
  const { deps } = context;
  const stops: (() => void)[] = [];
  const file = await open(path, 'r');
  const copy = copier(file, (text) => {
    deps.stdout.write(text);
  });
  let last: Promise<unknown> = Promise.resolve();
  try {
    return await new Promise<ExitCode>((resolve, reject) => {
      const look = async (): Promise<void> => {
        // Asked before reading: what was written before the writer ended is still printed.
        const growing = await isGrowing();
        await copy();
        if (!growing) resolve(Exit.ok);
      };
      const tick = (): void => {
        last = last.then(look).catch(reject);
      };
      stops.push(
        deps.every(POLL_MS, tick),
        deps.onSignal('SIGINT', () => {
          resolve(Exit.interrupted);
        }),
        deps.stdout.onClose(() => {
          resolve(Exit.ok);
        }),
      );
      tick();
    });
  } finally {
    for (const stop of stops) stop();
    await last;
    await file.close();
  }
}

/** Passes on what was appended since the last call; a character split between two reads survives. */
function copier(file: FileHandle, write: (text: string) => void): () => Promise<void> {
  const decoder = new TextDecoder();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  return async () => {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      write(decoder.decode(buffer.subarray(0, bytesRead), { stream: true }));
    }
  };
}

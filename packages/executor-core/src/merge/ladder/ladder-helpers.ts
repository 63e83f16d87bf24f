import { basename } from 'node:path';

/** A text in conflict, byte for byte. */
export interface TextVersions {
  readonly path: string;
  /** `null`: both sides added the file. */
  readonly base: Buffer | null;
  readonly ours: Buffer;
  readonly theirs: Buffer;
  /** The merge with conflict markers, in the style the user has configured. */
  readonly marked: Buffer;
}

/** A lockfile in conflict. In `tree` everything else is merged, and the lockfile is the target's. */
export interface RegenerateRequest {
  readonly path: string;
  readonly tree: string;
}

export interface HelperAnswer {
  readonly content: Buffer;
  /** For people: what made it. */
  readonly reason: string;
}

/**
 * Rungs that need programs or folders. Each resolves with `null` when it has no answer, for whatever
 * reason, and leaves nothing behind.
 */
export interface LadderHelpers {
  /** A resolution of the same conflict that a person made before. */
  readonly recall?: (conflict: TextVersions) => Promise<HelperAnswer | null>;
  /** A merge by functions, classes and the like. */
  readonly entity?: (conflict: TextVersions) => Promise<HelperAnswer | null>;
  /** The lockfile that belongs to the manifests of a tree. */
  readonly regenerate?: (request: RegenerateRequest) => Promise<HelperAnswer | null>;
}

const LOCKFILES: ReadonlySet<string> = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
]);

/** `true` for files that are made from manifests, and so are never merged as text once in conflict. */
export function isLockfile(path: string): boolean {
  return LOCKFILES.has(basename(path));
}

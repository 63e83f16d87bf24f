import { createRequire } from 'node:module';

/** A module of the built core, by its path without the extension, such as `merge/trailers`. */
export const core = (path) =>
  createRequire(import.meta.url)(`../../../packages/executor-core/dist/${path}.js`);

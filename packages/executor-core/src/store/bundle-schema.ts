import * as z from 'zod';

const objectName = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const repositoryPath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'));

/** A bundle may come from a cache or another machine, and its fields reach git: checked in full. */
export const bundleFile = z.object({
  schemaVersion: z.literal(1),
  task: z.string(),
  key: z.string(),
  base: objectName,
  commit: objectName.optional(),
  tree: objectName.optional(),
  noop: z.boolean(),
  files: z.array(repositoryPath),
  fileCount: z.number().int().nonnegative(),
  message: z.string(),
  patchSha256: z.string(),
});

/** The content of a `result.json` that has passed. */
export type BundleFile = z.infer<typeof bundleFile>;

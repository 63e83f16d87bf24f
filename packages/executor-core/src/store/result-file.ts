import type { RunId } from '../model/ids';
import type { RunResult } from '../model/result';
import type { FileSystem } from '../ports/file-system';
import { runPaths } from './run-dir';

/** Writes `report/result.json` of a run, replacing an earlier one; returns its path. */
export async function writeResultFile(
  fs: FileSystem,
  root: string,
  run: RunId,
  result: RunResult,
): Promise<string> {
  const { reportDir, resultFile } = runPaths(root, run);
  await fs.makeDir(reportDir);
  await fs.writeAtomic(resultFile, `${JSON.stringify(result, null, 2)}\n`);
  return resultFile;
}

/** The run's `report/result.json`, or `null` when it was not written (the run has not ended). */
export async function readResultFile(
  fs: FileSystem,
  root: string,
  run: RunId,
): Promise<RunResult | null> {
  const text = await fs.readText(runPaths(root, run).resultFile);
  return text === null ? null : (JSON.parse(text) as RunResult);
}

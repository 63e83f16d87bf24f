import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../adapters/node-file-system';
import { parseRunId } from '../model/ids';
import type { RunResult } from '../model/result';
import { readResultFile, writeResultFile } from './result-file';

const result: RunResult = {
  schemaVersion: 1,
  parallel_execution: {
    id: 'PEXEC-1',
    status: 'completed',
    config: { max_concurrency: 25, fail_fast: false, timeout_ms: 1000 },
    tasks: { total: 0, completed: 0, failed: 0, ids: [] },
    results: {},
    timing: {
      started_at: '2024-01-01T00:00:00.000Z',
      completed_at: null,
      total_duration_ms: 0,
      sequential_estimate_ms: 0,
      speedup_factor: 1,
    },
    resources: { peak_concurrency: 0, avg_concurrency: 0 },
  },
  failures: [],
  merges: [],
  critical_path: [],
  cost: { usd: null, tokens: null },
  landing: { mode: 'none', commits: 'linear', ref: '', held: null, take: null, pull_requests: [] },
  sandbox: {},
  target: { ref: null, commit: null, held: null },
};

describe('the result file', () => {
  const files = nodeFileSystem();
  const run = parseRunId('PEXEC-1');
  let root: string;

  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), 'result-'));
  });
  afterEach(() => {
    fs.rmSync(root, { recursive: true, force: true });
  });

  it('reads back as it was written, in the place the contract names', async () => {
    const path = await writeResultFile(files, root, run, result);
    expect(path).toBe(join(root, '.parallel/runs/PEXEC-1/report/result.json'));
    expect(await readResultFile(files, root, run)).toEqual(result);
    expect(fs.readFileSync(path, 'utf8').endsWith('}\n')).toBe(true);
  });

  it('replaces an earlier one', async () => {
    await writeResultFile(files, root, run, result);
    await writeResultFile(files, root, run, { ...result, critical_path: ['a'] });
    expect((await readResultFile(files, root, run))?.critical_path).toEqual(['a']);
  });

  it('is absent until the run has ended', async () => {
    expect(await readResultFile(files, root, run)).toBeNull();
  });
});

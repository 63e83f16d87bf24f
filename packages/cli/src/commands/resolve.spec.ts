import type { ResolveResult, ResolveStep } from '@parallel-executor/core';
import { parseRunId } from '@parallel-executor/core';
import { candidateOf } from '@parallel-executor/core/testing';
import { main } from '../main';
import { FakeWorld, fakeWorkspace } from '../testing/fake-world';

const runId = parseRunId('PEXEC-1');
const OPEN: ResolveResult = {
  kind: 'open',
  runId,
  path: '/r/.worktrees/resolve-api',
  isNew: true,
  paths: ['a.ts', 'b.ts'],
  left: ['b.ts'],
};

describe('resolve', () => {
  let asked: (readonly [string, ResolveStep, string | undefined])[];
  beforeEach(() => {
    asked = [];
  });
  const world = (result: ResolveResult): FakeWorld =>
    new FakeWorld(
      fakeWorkspace({
        resolve: (task, step, run) => {
          asked.push([task, step, run]);
          return Promise.resolve(result);
        },
      }),
    );
  const cli = (at: FakeWorld, ...args: string[]): Promise<number> =>
    main(['node', 'parallel-cli', ...args], at);

  it('tells where the conflict is, what is left, and what to do', async () => {
    const at = world(OPEN);
    expect(await cli(at, 'resolve', 'api')).toBe(3);
    expect(asked).toEqual([['api', 'open', undefined]]);
    for (const line of [
      'The conflict of api is open in /r/.worktrees/resolve-api:',
      '  a.ts (settled)',
      '  b.ts (in conflict)',
      'parallel-cli resolve api --continue',
      'parallel-cli resolve api --abort',
    ])
      expect(at.stdout.text).toContain(line);
  });

  it('answers with one JSON object', async () => {
    const at = world({ ...OPEN, isNew: false });
    expect(await cli(at, 'resolve', 'api', '--run', 'PEXEC-1', '--json')).toBe(3);
    expect(asked).toEqual([['api', 'open', 'PEXEC-1']]);
    expect(JSON.parse(at.stdout.text)).toEqual({
      schemaVersion: 1,
      run: 'PEXEC-1',
      task: 'api',
      state: 'open',
      path: '/r/.worktrees/resolve-api',
      created: false,
      files: ['a.ts', 'b.ts'],
      unresolved: ['b.ts'],
    });
  });

  it('says that the live run lands what was settled', async () => {
    const next = { kind: 'signalled', runId } as const;
    const at = world({ kind: 'resolved', candidate: candidateOf('api'), next });
    expect(await cli(at, 'resolve', 'api', '--continue')).toBe(0);
    expect(asked).toEqual([['api', 'continue', undefined]]);
    expect(at.stdout.text).toContain('PEXEC-1 lands api.');
  });

  it('says what was kept of a worktree that is given up', async () => {
    const at = world({ kind: 'aborted', runId, saved: 'refs/parallel/x' });
    expect(await cli(at, 'resolve', 'api', '--abort')).toBe(3);
    expect(at.stdout.text).toContain('What was made there is kept: refs/parallel/x');
    const json = world({ kind: 'aborted', runId, saved: null });
    expect(await cli(json, 'resolve', 'api', '--abort', '--json')).toBe(3);
    expect(json.stdout.text).toContain('"saved": null');
  });

  it('does one thing at a time', async () => {
    const at = world(OPEN);
    expect(await cli(at, 'resolve', 'api', '--continue', '--abort')).toBe(2);
    expect([asked, at.stderr.text]).toEqual([[], expect.stringContaining('not both')]);
  });
});

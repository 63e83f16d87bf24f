import { NO_COST } from '../model/cost';
import type { Failure } from '../model/failure';
import type { AttemptStory } from '../report/attempt-story';
import type { StartingPoint } from './feedback';
import { feedbackText } from './feedback';

const RED: Failure = {
  kind: 'verify-failed',
  where: 'worktree',
  command: 'npm test',
  code: 1,
  tail: 'not ok 7\n',
};

function story(attempt: number, failure: Failure, given: Partial<AttemptStory> = {}): AttemptStory {
  const base = 'b'.repeat(40);
  return { attempt, failure, base, salvage: null, healing: null, cost: NO_COST, ...given };
}

function text(
  stories: readonly [...(readonly AttemptStory[]), AttemptStory],
  start: StartingPoint = { kind: 'fresh' },
  changed: readonly string[] = [],
): string {
  const { attempt } = stories[stories.length - 1] as AttemptStory;
  return feedbackText({ stories, attempt: attempt + 1, maxRetries: 3, start, changed });
}

describe('the feedback', () => {
  it('tells the class, the command, its exit code, what was changed, where it is, and the log', () => {
    const ref = 'refs/parallel/PEXEC-1/a/7';
    expect(text([story(1, RED, { salvage: ref })], { kind: 'fresh' }, ['a/x.ts', 'a/y.ts'])).toBe(
      `Attempt 1 failed: check failed on the worktree: npm test.
Class: verify-failed.
This is attempt 2, retry 1 of 3.

Command: npm test
Exit code: 1

Run the command yourself, mend what it finds, and end only when it passes.

You start from all that has landed; nothing of that attempt is in your worktree.

What it changed:
  a/x.ts
  a/y.ts
Look at it:    git diff ${'b'.repeat(40)} ${ref}
See one file:  git show ${ref}:PATH
Take one over: git restore --source=${ref} -- PATH

End of its output:

not ok 7
`,
    );
  });

  it.each<[Failure, RegExp]>([
    [
      { kind: 'lock-violation', paths: ['b/x'], allowed: ['a/**'] },
      /Files outside the write set:\n {2}b\/x\nAllowed:\n {2}a\/\*\*\n\n[^\n]*parallel-cli locks request GLOB/,
    ],
    [
      { kind: 'conflict', paths: ['a/x', 'a/y'], onto: 'c' },
      /In conflict with what has landed:\n {2}a\/x\n {2}a\/y\n/,
    ],
    [{ kind: 'no-evidence', tail: '' }, /parallel-cli progress --noop "REASON"/],
    [{ kind: 'setup-failed', step: 'npm ci', tail: 'oops' }, /Step: npm ci[^]*oops/],
    [{ ...RED, code: null }, /Exit code: none \(it was ended by a signal\)/],
  ])('gives what is needed to mend %j', (failure, expected) => {
    expect(text([story(1, failure)])).toMatch(expected);
  });

  it('counts the retries, not the free ones, and is silent about a count that is no more true', () => {
    const later = story(1, { kind: 'try-later', tail: '' });
    expect(text([later])).toContain('This is attempt 2, retry 0 of 3.');
    expect(text([later, story(2, RED)])).toContain('This is attempt 3, retry 1 of 3.');
    const many = [1, 2, 3, 4].map((attempt) => story(attempt, RED));
    expect(text([...many, story(5, RED)])).toContain('This is attempt 6.\n');
  });

  it('remembers the attempts before the last', () => {
    const before = story(1, RED, { healing: { healer: 'medic', outcome: 'diagnosed', note: 'x' } });
    expect(text([before, story(2, { kind: 'agent-exit', code: 1, tail: 'HTTP 503' })])).toMatch(
      /Attempt 2 failed: [^]*Class: transient[^]*Earlier attempts:\n {2}attempt 1: verify-failed: [^\n]*; healer medic: diagnosed \("x"\); it left no work\n/,
    );
  });

  it('names no more paths than anybody reads', () => {
    const changed = Array.from({ length: 40 }, (_, at) => `f${at}`);
    const lines = text([story(1, RED, { salvage: 'refs/x' })], { kind: 'fresh' }, changed);
    expect(lines).toContain('  f29\n  and 10 more\n');
    expect(lines).not.toContain('f30');
  });

  it('tells what an attempt after an interruption starts from', () => {
    const cut = story(1, { kind: 'interrupted', message: 'stopped' }, { salvage: 'refs/x' });
    const commit = 'c'.repeat(40);
    expect(text([cut], { kind: 'resumed', attempt: 1, ref: 'refs/x', commit })).toContain(
      `You start from the work of attempt 1 (${commit}), which was interrupted: go on from there.`,
    );
    const outdated = { kind: 'outdated', mended: false, attempt: 1, ref: 'refs/x' } as const;
    expect(text([cut], { ...outdated, paths: ['a.txt'] })).toContain(
      'all that has landed: the work of attempt 1, kept in refs/x, conflicts with it in\n  a.txt',
    );
    expect(text([cut], { ...outdated, paths: [] })).toContain(
      'the work of attempt 1, kept in refs/x, does not go together with it.',
    );
  });
});

import fc from 'fast-check';
import { globProblem } from './glob-problem';

describe('why a glob is refused', () => {
  const part = fc.constantFrom(
    ...[
      'a',
      'B1',
      '..',
      '.',
      '',
      '.git',
      '.GIT',
      '.parallel',
      '.worktrees',
      'x.y',
      'x..',
      '-a',
      '_',
    ],
    ...['*', '**', '***', '*.ts', '*.d.ts', 'a*', '*a*b*c*d*e', '?', '[a]', '[!a]', '{a,..}', '~'],
    ...['C:', '$(x)', 'a b', 'é', 'a\nb', 'a\\b', '!', '!a', '@(a)', 'x'.repeat(400)],
  );
  const glob = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));

  // Written with "./" in front the folder is the same, and no glob is taken for an ordinary one.
  it('is the same for globs that are taken at a glance and for those looked at closely', () => {
    let ordinary = 0;
    fc.assert(
      fc.property(glob, (one) => {
        const [glance, close] = ['.worktrees/', './.worktrees/'].map((base) => {
          const problem = globProblem(one, base);
          return problem === null
            ? null
            : { ...problem, problem: problem.problem.replace(base, '') };
        });
        expect({ one, problem: glance }).toEqual({ one, problem: close });
        if (glance === null) ordinary += 1;
      }),
      { numRuns: 5000, seed: 4 },
    );
    expect(ordinary).toBeGreaterThan(200);
  });

  it('keeps tasks out of the folder of worktrees, wherever it is', () => {
    expect(globProblem('wt/x', 'wt/')?.code).toBe('reserved-path');
    expect(globProblem('wt/x', './wt')?.code).toBe('reserved-path');
    expect(globProblem('wt/x', '.worktrees/')).toBeNull();
  });
});

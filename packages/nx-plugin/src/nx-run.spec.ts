import { isRunId } from '@parallel-executor/core';
import { newRunId, runIdOf, skipsCache } from './nx-run';

describe('the run of an Nx command', () => {
  it('has an id the engine accepts', () => {
    expect(isRunId(newRunId())).toBe(true);
    expect(isRunId(runIdOf({}))).toBe(true);
  });

  it('is the one the plugin told the forked process', () => {
    expect(runIdOf({ PARALLEL_NX_RUN: 'PEXEC-7' })).toBe('PEXEC-7');
  });

  it.each([
    [['--skip-nx-cache'], {}, true],
    [['--skipNxCache'], {}, true],
    [['--disableNxCache=true'], {}, true],
    [['--skip-nx-cache=false'], {}, false],
    [[], { NX_SKIP_NX_CACHE: 'true' }, true],
    [[], { NX_DISABLE_NX_CACHE: 'true' }, true],
    [[], { NX_SKIP_NX_CACHE: 'false' }, false],
    [['-t', 'agent', '--skipRemoteCache'], {}, false],
  ])('given %j and %j skips the cache: %s', (argv, env, expected) => {
    expect(skipsCache(argv, env)).toBe(expected);
  });
});

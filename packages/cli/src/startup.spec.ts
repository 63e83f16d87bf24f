import type { Out } from './terminal';
import type { Deps } from './deps';
import { main } from './main';

jest.mock('@parallel-executor/core', () => {
  throw new Error('the engine was loaded');
});

function memory(): Out & { readonly text: () => string } {
  let text = '';
  return {
    isTTY: false,
    columns: undefined,
    rows: undefined,
    closed: false,
    write: (part) => {
      text += part;
    },
    onResize: () => () => undefined,
    onClose: () => () => undefined,
    text: () => text,
  };
}

it.each([
  [['--version'], 0],
  [['--help'], 0],
  [['run', '--help'], 0],
  [['rnu'], 2],
])('%j answers without loading the engine', async (words, code) => {
  const stdout = memory();
  const stderr = memory();
  const deps: Deps = {
    stdout,
    stderr,
    env: {},
    cwd: '/',
    openWorkspace: () => Promise.reject(new Error('opened a workspace')),
    now: () => 0,
    every: () => () => undefined,
    onSignal: () => () => undefined,
  };
  expect(await main(['node', 'parallel-cli', ...words], deps)).toBe(code);
  expect(stdout.text() + stderr.text()).not.toBe('');
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from './version';

it('the version that journals name as their writer is that of the package', () => {
  const text = readFileSync(join(__dirname, '../../package.json'), 'utf8');
  expect((JSON.parse(text) as { readonly version: string }).version).toBe(VERSION);
});

import { addsTies } from './new-ties';

const rootOf = (path: string): string | null => /^(libs|apps)\/[^/]+/.exec(path)?.[0] ?? null;
const external = new Set(['react', '@nx/devkit']);
const ties = (path: string, ...lines: string[]): boolean =>
  addsTies({
    patch: [
      `diff --git a/${path} b/${path}`,
      `--- a/${path}`,
      `+++ b/${path}`,
      '@@ -1 +1 @@',
      ...lines,
    ].join('\n'),
    external,
    rootOf,
  });

describe('a patch', () => {
  it.each([
    `+import { a } from '@shop/ui';`,
    `+export * from "../../core/src/a";`,
    `+const a = require('@shop/ui');`,
    `+const a = await import('@shop/ui/deep');`,
    `+import '@shop/ui';`,
  ])('ties projects together when it adds %s', (line) => {
    expect(ties('libs/ui/src/a.ts', line)).toBe(true);
  });

  it.each([
    `+import React from 'react';`,
    `+import { x } from '@nx/devkit/testing';`,
    `+import { join } from 'node:path';`,
    `+import { b } from './b';`,
    `+import { b } from '../lib/b';`,
    `+const text = 'nothing from here';`,
    `-import { a } from '@shop/ui';`,
    ` import { a } from '@shop/ui';`,
  ])('ties nothing by %s', (line) => {
    expect(ties('libs/ui/src/a.ts', line)).toBe(false);
  });

  it('ties nothing by an import it only changes', () => {
    const lines = [`-import { a } from '@shop/ui';`, `+import { a, b } from '@shop/ui';`];
    expect(ties('apps/shop/src/a.ts', ...lines)).toBe(false);
  });

  it('may tie anything where its code cannot be read, and nothing in texts and pictures', () => {
    expect(ties('libs/ui/src/a.py', '+import os')).toBe(true);
    expect(ties('libs/ui/README.md', "+see `import x from '@shop/core'`")).toBe(true);
    expect(ties('libs/ui/README.md', '+see the code')).toBe(false);
    expect(ties('libs/ui/a.css', '+b { color: red }')).toBe(false);
  });

  it('is read also where it adds or deletes a file', () => {
    const rest = { external, rootOf };
    const added = `--- /dev/null\n+++ b/libs/ui/n.ts\n@@ -0,0 +1 @@\n+import '@shop/core';\n`;
    expect(addsTies({ patch: added, ...rest })).toBe(true);
    expect(
      addsTies({ patch: `--- a/libs/ui/n.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n`, ...rest }),
    ).toBe(true);
  });
});

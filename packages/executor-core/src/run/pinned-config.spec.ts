import * as fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configText, parseConfigList } from './pinned-config';

describe('a pinned configuration', () => {
  const dir = mkdtempSync(join(tmpdir(), 'config-'));
  const file = join(dir, 'config');
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });
  const listed = (): ReturnType<typeof parseConfigList> =>
    parseConfigList(
      execFileSync('git', ['config', '--file', file, '--list', '--show-scope', '-z'], {
        encoding: 'utf8',
      }),
    );

  it('says to git what the original said, values without a value and values twice among them', () => {
    const original = '[core]\n\tbare\n[a "b.c \\"x\\\\"]\n\tk = " one "\n\tk = "two;#\\n\\t\\\\"\n';
    writeFileSync(file, original);
    const before = listed();
    expect(before).toHaveLength(3);
    writeFileSync(file, configText(before));
    expect(listed()).toEqual(before);
  });

  it('leaves out what would have git read another file', () => {
    const entries = ['include.path', 'includeif.gitdir:**.path', 'core.bare'].map((key) => ({
      scope: 'local',
      key,
      value: 'x',
    }));
    expect(configText(entries)).toBe('[core]\n\tbare = "x"\n');
  });

  it('keeps every value and subsection git can hold', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((value) => !/[\0\r]/.test(value));
    const name = text.filter((value) => !value.includes('\n'));
    fc.assert(
      fc.property(name, text, (subsection, value) => {
        const entry = { scope: 'command', key: `filter.${subsection}.clean`, value };
        writeFileSync(file, configText([entry]));
        expect(listed()).toEqual([entry]);
      }),
      { numRuns: 40 },
    );
  });
});

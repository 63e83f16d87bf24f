import fc from 'fast-check';
import type { ConflictRig } from '../../testing/conflict-rig';
import { makeConflictRig } from '../../testing/conflict-rig';
import { comparableLines, lostGains } from './gained-lines';
import { leavesOf, readJson } from './json-text';
import { mergeJson } from './json-merge';
import { hasMarkers } from './merge-parts';

/** Real git on a busy machine. */
jest.setTimeout(60_000);

/** A line text that edits of two sides collide in often. */
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '## d', '', 'e'), { maxLength: 6 })
  .map((all) => all.map((line) => `${line}\n`).join(''));
const scalar = fc.constantFrom<unknown>(1, 2, 'x', null, '1.0.0', '1.2.0', '^1.0.0', '^2.0.0');
const { node: value } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'version', 'keywords', 'dependencies'), tie('node')),
  ),
}));
const document = fc.dictionary(
  fc.constantFrom('a', 'version', 'keywords', 'dependencies', 'z'),
  value,
);
const layout = fc.constantFrom(undefined, 2, 4, '\t');
const POLICIES = ['wait', 'priority', 'theirs-if-newer', 'auto_merge'] as const;

describe('the conflict ladder', () => {
  let rig: ConflictRig;
  beforeAll(async () => {
    rig = await makeConflictRig();
  });
  afterAll(() => rig.cleanup());

  it('keeps every line the target gained, or names the version that lost', async () => {
    const policy = fc.constantFrom(...POLICIES);
    const path = fc.constantFrom('CHANGELOG.md', 'a.txt');
    await fc.assert(
      fc.asyncProperty(text, text, text, policy, path, async (base, ours, theirs, how, name) => {
        const merge = {
          base: { [name]: base },
          ours: { [name]: ours },
          theirs: { [name]: theirs },
        };
        const answer = await rig.resolve(merge, how);
        if (answer.kind === 'unresolved' || answer.resolved.length === 0) return;
        const result = (await rig.show(answer.tree, name)) ?? '';
        expect(hasMarkers(result)).toBe(false);
        if (answer.resolved.some(({ loser }) => loser !== undefined)) return;
        const lost = lostGains(...linesOf(base, ours, theirs, result));
        expect(lost).toEqual([]);
      }),
      { numRuns: Number(process.env['PE_MERGES'] ?? 40) },
    );
  });
});

describe('mergeJson', () => {
  it('gives valid JSON that has everything each side gained', () => {
    fc.assert(
      fc.property(document, document, document, layout, layout, (base, ours, theirs, a, b) => {
        const was = JSON.stringify(base);
        const [left, right] = [JSON.stringify(ours, null, a), JSON.stringify(theirs, null, b)];
        const merged = mergeJson('package.json', was, left, right);
        if (merged === null) return;
        const replaced = new Set(merged.replaced);
        const { text: result } = merged;
        const lost = lostGains(leaves(was), leaves(left), leaves(right), leaves(result));
        expect(lost.filter((leaf) => !replaced.has(leaf))).toEqual([]);
        const unheard = lostGains(leaves(was), leaves(right), leaves(left), leaves(result));
        expect(unheard.filter((leaf) => !isVersion(leaf))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('changes nothing where only one side did', () => {
    fc.assert(
      fc.property(document, document, layout, (base, changed, indent) => {
        const was = JSON.stringify(base, null, indent);
        const now = JSON.stringify(changed, null, indent);
        expect(mergeJson('a.json', was, now, was)?.text).toBe(now);
        const taken = mergeJson('a.json', was, was, now)?.text ?? '';
        expect(readJson(taken)?.same).toBe(readJson(now)?.same);
      }),
    );
  });
});

function linesOf(...texts: readonly [string, string, string, string]) {
  const [base, ours, theirs, result] = texts;
  return [
    comparableLines(base),
    comparableLines(ours),
    comparableLines(theirs),
    comparableLines(result),
  ] as const;
}

function leaves(json: string): readonly string[] {
  const read = readJson(json);
  return read === null ? [] : leavesOf(read);
}

/** Of two versions the lower one goes. */
function isVersion(leaf: string): boolean {
  return /"[~^]?\d+\.\d+\.\d+"$/.test(leaf);
}

import fc from 'fast-check';
import { renderDiagnostics } from './diagnostics';
import { parsePlan } from './load-plan';

describe('anything at all', () => {
  const survives = (text: string): void => {
    const result = parsePlan({ text, file: 'parallel.yaml' });
    if (!result.ok) {
      expect(result.diagnostics.some((one) => one.severity === 'error')).toBe(true);
      expect(typeof renderDiagnostics(result.diagnostics, text)).toBe('string');
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  };
  const word = fc.oneof(
    fc.constantFrom(
      'version',
      'parallel_executor',
      'max_agents',
      'retry_policy',
      'agents',
      'phases',
      'graph',
      'tasks',
      'locks',
      'read',
      'write',
      'agent',
      'prompt',
      'prompt_file',
      'depends_on',
      'writes',
      'env',
      'priority',
      '__proto__',
      'constructor',
      'polluted',
      'toString',
      'a',
      'b',
      'agent-1',
      '**',
      '30s',
      'required_resources',
    ),
    fc.string({ maxLength: 5 }),
  );

  it('is answered with a plan or with problems: text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), survives), {
      numRuns: 300,
    });
  });

  it('is answered with a plan or with problems: YAML punctuation', () => {
    const unit = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '{',
      '}',
      '[',
      ']',
      ',',
      '*',
      '&',
      '!',
      '"',
      "'",
      '|',
      '>',
      '#',
      '?',
      '\t',
      '<<: ',
      'tasks: ',
      '__proto__: ',
    );
    fc.assert(fc.property(fc.string({ unit, maxLength: 60 }), survives), { numRuns: 1000 });
  });

  it('is answered with a plan or with problems: JSON with our words', () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        word,
        fc.integer(),
        fc.constantFrom(null, true, [] as unknown[]),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.array(fc.tuple(word, tie('node')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
      ),
    })).node;
    const write = (node: unknown): string => {
      if (node instanceof Map) {
        return `{${[...node].map(([key, item]) => `${JSON.stringify(key)}: ${write(item)}`).join(',')}}`;
      }
      return Array.isArray(node) ? `[${node.map(write).join(',')}]` : JSON.stringify(node);
    };
    fc.assert(
      fc.property(value, (node) => {
        survives(write(node));
      }),
      { numRuns: 1000 },
    );
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planJsonSchema } from './json-schema';

interface Schema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly required?: readonly string[];
}

describe('planJsonSchema', () => {
  const schema = planJsonSchema() as Schema;
  const section = (name: string): Schema | undefined => {
    const property = schema.properties?.[name];
    return property?.anyOf?.[0] ?? property;
  };

  it('is a draft-07 schema with a title, and every section is optional', () => {
    expect(schema.$schema).toContain('draft-07');
    expect(schema.title).toBe('Parallel Executor plan');
    expect(schema.required).toBeUndefined();
    expect(Object.keys(schema.properties ?? {}).sort()).toEqual([
      'agents',
      'graph',
      'locks',
      'parallel_executor',
      'phases',
      'resource_strategies',
      'tasks',
      'version',
    ]);
  });

  it('refuses unknown keys and knows the form of durations', () => {
    expect(schema.additionalProperties).toBe(false);
    const executor = section('parallel_executor');
    expect(executor?.additionalProperties).toBe(false);
    expect(executor?.properties?.['timeout']?.pattern).toBe('^\\d+(ms|s|m|h)$');
    expect(executor?.properties?.['timeout']?.description).toContain('30m');
  });

  it('is what the package ships', () => {
    const shipped = readFileSync(join(__dirname, '../../parallel.schema.json'), 'utf8');
    expect(JSON.parse(shipped)).toEqual(JSON.parse(JSON.stringify(schema)));
  });
});

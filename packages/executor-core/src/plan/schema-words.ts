import * as z from 'zod';
import { DURATION } from './duration';

/** What the values of a plan file are made of, with what is said of a value that is none. */

export const text = (what: string) =>
  z.string({ error: `expected ${what}` }).min(1, `${what} may not be empty`);
export const name = (what: string) => text(`the name of ${what}`);
export const texts = (what: string) =>
  z.array(text(what), { error: `expected a list of ${what}s` });
export const globs = z.array(text('a glob'), { error: 'expected a list of globs' }).meta({
  description: 'Globs over repository paths: * ** ? {a,b} [a-z] [^a]; a leading ! excludes.',
});
export const commands = texts('a shell command');
export const duration = z
  .string({ error: 'expected a duration such as 30s' })
  .regex(DURATION, 'a duration is a number with ms, s, m or h, such as 30s')
  .meta({ description: 'A number with ms, s, m or h, such as 30s.' });
export const positive = z
  .number({ error: 'expected a whole number' })
  .int('expected a whole number')
  .min(1, 'it must be 1 or more');
export const flag = z.boolean({ error: 'expected true or false' });
export const oneOf = <const T extends readonly [string, ...string[]]>(choices: T) =>
  z.enum(choices, { error: `expected one of: ${choices.join(', ')}` });
export const env = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], { error: 'expected text' }),
  { error: 'expected a mapping of names to text' },
);
export const mapping = (what: string) => ({ error: `expected a mapping of ${what}` });

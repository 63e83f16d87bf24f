import type { Redactor } from './redactor';
import { createRedactor } from './redactor';
import { secretValues } from './secret-values';

type Variables = Readonly<Record<string, string | undefined>>;

const known = new WeakMap<Variables, Redactor>();

/**
 * `text` without secrets: the known formats, and the values of secret variables in `env`, which is looked
 * at once. For what is shown to people beside a run's events, such as an error.
 */
export function redactSecrets(text: string, env: Variables): string {
  const redactor = known.get(env) ?? createRedactor(secretValues(env));
  known.set(env, redactor);
  return redactor.text(text);
}

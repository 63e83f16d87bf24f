type Variables = Readonly<Record<string, string | undefined>>;

/** Parts of a variable's name that say its value is secret. */
const TELLING =
  /(?:^|_)(?:\w*(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|APIKEY)S?|PAT|PASS|AUTH|KEY|KEYS|CREDENTIALS?|DSN|COOKIE|WEBHOOK(?:_URL)?|CONNECTION_STRING)(?:_\d+)?$/i;
/** Their values say where a secret lies or how long it lives, and are none. */
const ABOUT_ONE = /_(?:FILE|PATH|DIR|SOCK|HOME|NAME|ID|TTL|TYPE|EXPIRES?(?:_AT)?|ENABLED)$/i;
const PATH = /^(?:~|\.{1,2})?\/[\w./-]*$/;
/** Shorter values are words of every text: to take them out would leave nothing readable. */
const LEAST_CHARS = 6;
const PLAIN = /^(?:true|false|null|undefined|none|default|\d{1,7})$/i;
/** A line of a secret of several lines stands for itself from this length on. */
const LEAST_LINE = 12;

/** Variable that hands the names the plan lists on to the processes of a run, separated by commas. */
const SECRET_NAMES = 'PARALLEL_SECRETS';

/** `true` when a variable of this name is taken to hold a secret. */
export function isSecretName(name: string): boolean {
  return TELLING.test(name) && !ABOUT_ONE.test(name);
}

/**
 * The secrets in an environment: values of variables whose names tell so, and of those named by `listed`
 * or by `PARALLEL_SECRETS`, in the forms in which they turn up in text (as they are, line by line, as in
 * JSON, in an address, and in base64). Longest first.
 */
export function secretValues(env: Variables, listed: readonly string[] = []): readonly string[] {
  const named = new Set([...listed, ...(env[SECRET_NAMES] ?? '').split(',')]);
  const found = new Set<string>();
  for (const [name, value = ''] of Object.entries(env)) {
    if (!named.has(name) && !(isSecretName(name) && !PATH.test(value))) continue;
    const text = value.trim();
    if (text.length < LEAST_CHARS || PLAIN.test(text)) continue;
    for (const form of formsOf(text)) found.add(form);
  }
  return [...found].sort((a, b) => b.length - a.length);
}

/** The environment, with the names of the plan's secrets for the processes that get it. */
export function withSecretNames(
  env: Readonly<Record<string, string>>,
  names: readonly string[] = [],
): Readonly<Record<string, string>> {
  return names.length === 0 ? env : { ...env, [SECRET_NAMES]: names.join(',') };
}

function formsOf(value: string): readonly string[] {
  const lines = value
    .split(/\r?\n/)
    .filter((line) => line.length >= LEAST_LINE && !line.startsWith('-----'));
  const inJson = JSON.stringify(value).slice(1, -1);
  const inBase64 = Buffer.from(value).toString('base64').replace(/=+$/, '');
  // Halves of surrogate pairs cannot stand in an address.
  const inAddress = encodeURIComponent(value.replace(/\p{Cs}/gu, ''));
  const whole = value.includes('\n') ? [] : [value];
  return [...whole, ...(lines.length > 1 ? lines : []), inJson, inAddress, inBase64];
}

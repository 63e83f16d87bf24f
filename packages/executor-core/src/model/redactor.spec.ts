import * as fc from 'fast-check';
import { secretSamples } from '../testing/secret-samples';
import { createRedactor, REDACTED } from './redactor';
import { isSecretName, secretValues } from './secret-values';

const SAMPLES = secretSamples();
const plain = createRedactor();

/** What a stream tells of `bytes`, handed to it in pieces that end at `cuts`. */
function streamed(redactor: typeof plain, bytes: Buffer, cuts: readonly number[]): string {
  const stream = redactor.stream();
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const told: Buffer[] = [];
  let at = 0;
  for (const end of [...ends, bytes.length]) {
    told.push(stream.push(bytes.subarray(at, end)));
    at = end;
  }
  return Buffer.concat([...told, stream.end()]).toString();
}

describe('a redactor', () => {
  it('knows more than 50 formats', () => {
    expect(SAMPLES.length).toBeGreaterThan(75);
  });

  it.each(SAMPLES.map(({ name, secret, line }) => [name, secret, line]))(
    'takes out: %s',
    (_name, secret, line) => {
      for (const text of [line, `\u001b[32m${line}\u001b[0m`, `a\n${line}\nb`, `x="${line}"`]) {
        expect(plain.text(text)).not.toContain(secret);
        expect(plain.text(text)).toContain(REDACTED);
        expect(plain.text(plain.text(text))).toBe(plain.text(text));
      }
    },
  );

  it('leaves everything around a secret as it was', () => {
    const { secret } = SAMPLES.find(({ name }) => name === 'github classic') ?? { secret: '' };
    expect(plain.text(`token ${secret}, then`)).toBe(`token ${REDACTED}, then`);
    expect(plain.text(`https://me:${secret}@host/x`)).toBe(`https://${REDACTED}@host/x`);
  });

  it.each([
    'commit 0123456789abcdef0123456789abcdef01234567',
    `tree ${'ab'.repeat(32)}`,
    'task-implement-the-landing-page-of-the-shop-2024',
    'refs/parallel/PEXEC-1705323000000/api_routes/12',
    'id 123e4567-e89b-12d3-a456-426614174000',
    'const token = getToken(); if (password === null) return;',
    'The password must have 8 characters. tokens: 12345 of 80000',
    'agent-1-landing_page risk-free disk-usage-report-for-2024-and-2025',
    'https://example.org/a/b?c=d and git@example.org:a/b.git',
    'path/to/pattern.ts:12:34 SGML SK-12 pat.x key-value',
  ])('leaves alone: %s', (text) => {
    expect(plain.text(text)).toBe(text);
  });

  it('gives the same, wherever a stream is cut, and keeps bytes that are no UTF-8', () => {
    const lines = fc.constantFrom(...SAMPLES.map(({ line }) => line), 'a plain line', 'ü€😀', '');
    fc.assert(
      fc.property(
        fc.array(lines, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (all, cuts) => {
          const text = all.join('\n');
          expect(streamed(plain, Buffer.from(text), cuts)).toBe(plain.text(text));
        },
      ),
      { numRuns: 300 },
    );
    const raw = Buffer.from([0xff, 0x0a, 0xc3, 0x28, 0x80]);
    const stream = plain.stream();
    expect(Buffer.concat([stream.push(raw), stream.end()])).toEqual(raw);
  });

  it('finds secrets in a line that never ends, also across the places where it must let go', () => {
    const redactor = createRedactor(['known-value-of-mine']);
    const piece = `${'filler '.repeat(300)}known-value-of-mine ${SAMPLES.map(({ line }) => line.replaceAll('\n', ' ')).join(' ')} `;
    const told = streamed(redactor, Buffer.from(piece.repeat(60)), [70_000, 131_000, 196_613]);
    expect(told).not.toContain('known-value-of-mine');
    for (const { name, secret } of SAMPLES)
      if (!name.startsWith('private key'))
        expect([name, told.includes(secret)]).toEqual([name, false]);
    expect(told.length).toBeGreaterThan(60 * 2100);
  });

  it('holds no more than 64 KiB and a chunk, whatever comes', () => {
    const stream = plain.stream();
    let told = 0;
    for (let n = 0; n < 100; n += 1) told += stream.push(Buffer.alloc(10_000, 'a')).length;
    expect(1_000_000 - told).toBeLessThanOrEqual(64 * 1024 + 10_000);
  });

  it('takes time in proportion to the text, for texts made to be slow as well', () => {
    const nasty = [
      'eyJ',
      'eyJa.',
      'sk-',
      '://a:',
      'xoxb-',
      'token=',
      '-----BEGIN PRIVATE KEY-----',
      'authorization: ',
      'SG.a.',
      '-----BEGIN PRIVATE KEY-----\\n',
    ];
    const cost = (text: string): number => {
      const before = process.cpuUsage();
      plain.text(text);
      const { user } = process.cpuUsage(before);
      return user;
    };
    for (const part of nasty) {
      const text = part.repeat(Math.ceil(200_000 / part.length));
      cost(text);
      // Quadratic would be minutes; 5 µs a character is a hundred times what it takes.
      expect(cost(text)).toBeLessThan(1_000_000);
    }
  });
});

describe('the secrets of an environment', () => {
  it('are the values of telling names and of names the plan lists', () => {
    const env = {
      GITHUB_TOKEN: 'abc-123-def',
      DB: 'plain-value',
      HOME: '/root',
      SSH_AUTH_SOCK: '/tmp/s',
    };
    expect(secretValues(env)).toContain('abc-123-def');
    expect(secretValues(env)).not.toContain('plain-value');
    expect(secretValues(env, ['DB'])).toContain('plain-value');
    expect(secretValues({ ...env, PARALLEL_SECRETS: 'DB,X' })).toContain('plain-value');
  });

  it.each([
    'NPM_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'DB_PASSWORD',
    'STRIPE_KEY',
    'apiKey',
    'SENTRY_DSN',
    'TOKEN_2',
  ])('are told by the name %s', (name) => {
    expect(isSecretName(name)).toBe(true);
  });
  it.each([
    'PATH',
    'PWD',
    'HOME',
    'KEYBOARD',
    'SSH_AUTH_SOCK',
    'TOKEN_FILE',
    'MONKEY',
    'AWS_ACCESS_KEY_ID',
    'LANG',
  ])('are not told by the name %s', (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  it('count in the forms in which they turn up', () => {
    const value = 'a "quoted" pass/word é1';
    const redactor = createRedactor(secretValues({ MY_SECRET: value }));
    for (const form of [
      value,
      JSON.stringify(value),
      encodeURIComponent(value),
      Buffer.from(value).toString('base64'),
    ])
      expect(redactor.text(`x ${form} y`)).toContain(REDACTED);
  });

  it('count line by line where they have several', () => {
    const redactor = createRedactor(
      secretValues({ TLS_KEY: 'first-line-of-it\nsecond-line-of-it\n' }),
    );
    expect(redactor.text('second-line-of-it')).toBe(REDACTED);
  });

  it('are nothing so short or so plain that every text would be full of them', () => {
    expect(
      secretValues({ A_TOKEN: 'abc', B_TOKEN: 'true', C_TOKEN: '123456', D_KEY: '/a/path' }),
    ).toEqual([]);
  });
});

import { looksTransient, retryAfterMs } from './output-hints';

describe('output that ends with a fault that passes', () => {
  it.each([
    'Error: read ECONNRESET',
    'npm error code ETIMEDOUT',
    'getaddrinfo EAI_AGAIN registry.example.org',
    'API Error: 529 {"type":"error","error":{"type":"overloaded_error"}}',
    'HTTP 503',
    'status code: 429',
    'Request failed with status code 502',
    '429 Too Many Requests',
    'Error: socket hang up',
    'rate_limit_error: slow down',
    'curl: (6) Temporary failure in name resolution',
  ])('is transient: %s', (line) => {
    expect(looksTransient(`working\n${line}\n`)).toBe(true);
  });

  it.each([
    '',
    'Expected 429 to equal 430',
    'src/app.ts:503:12 - error TS2322: Type string is not assignable',
    'the method is overloadedX',
    'rate of limits',
    'exit status 5031',
    'ran 503 tests',
  ])('is not transient: %j', (line) => {
    expect(looksTransient(line)).toBe(false);
  });

  it('counts only near the end: what was overcome is no reason', () => {
    const later = Array.from({ length: 20 }, (_, at) => `step ${at}`).join('\n');
    expect(looksTransient(`read ECONNRESET, trying again\n${later}\n`)).toBe(false);
  });
});

describe('a wish to be left alone', () => {
  it.each([
    ['retry-after: 30', 30_000],
    ['limit reached\nRetry-After: 2.5\n', 2500],
    ['retry-after: 10 s\nbye', 10_000],
    ['retry-after: 1\nretry-after: 4', 4000],
    ['retry-after: 999999', 3_600_000],
    ['retry-after: 0', 0],
  ])('is heard: %j', (output, wait) => {
    expect(retryAfterMs(output)).toBe(wait);
  });

  it.each(['', 'please retry-after: 30', 'retry-after: soon', 'retry-after: -4'])(
    'is not made up from %j',
    (output) => {
      expect(retryAfterMs(output)).toBeNull();
    },
  );
});

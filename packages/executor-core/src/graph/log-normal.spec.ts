import fc from 'fast-check';
import { drawMs, meanBeyondMs, meanMs, quantileMs, type LogNormal } from './log-normal';

const MINUTE = 60_000;
const duration: LogNormal = { mu: Math.log(8 * MINUTE), sigma: 0.7 };

describe('a log-normal duration', () => {
  it('has its median in the middle and its mean above', () => {
    expect(quantileMs(duration, 0.5)).toBeCloseTo(8 * MINUTE, 3);
    expect(meanMs(duration) / (8 * MINUTE)).toBeCloseTo(Math.exp(0.245), 9);
  });

  it.each([
    [0.001, -3.090232],
    [0.9, 1.281552],
    [0.975, 1.959964],
  ])('has the quantiles of the tables: %d', (p, z) => {
    expect(Math.log(quantileMs({ mu: 0, sigma: 1 }, p))).toBeCloseTo(z, 5);
  });

  it('is expected to take longer the longer it has run, and never less than it has', () => {
    const elapsed = fc.double({ min: 0, max: 1e12, noNaN: true });
    const any = fc.record({
      mu: fc.double({ min: 0, max: 20, noNaN: true }),
      sigma: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 2, noNaN: true })),
    });
    fc.assert(
      fc.property(any, elapsed, elapsed, (one, a, b) => {
        const [sooner, later] = [Math.min(a, b), Math.max(a, b)];
        const [first, second] = [meanBeyondMs(one, sooner), meanBeyondMs(one, later)];
        expect(first).toBeGreaterThanOrEqual(sooner);
        expect(second).toBeGreaterThanOrEqual(first * (1 - 1e-4));
      }),
    );
    expect(meanBeyondMs(duration, 0)).toBe(meanMs(duration));
    expect(meanBeyondMs({ mu: Math.log(100), sigma: 0 }, 250)).toBe(250);
  });

  it('is drawn with the mean it has, also when it has run for a while', () => {
    const draws = 20_000;
    for (const elapsed of [0, 5 * MINUTE, 30 * MINUTE]) {
      let sum = 0;
      for (let at = 0; at < draws; at += 1) sum += drawMs(duration, (at + 0.5) / draws, elapsed);
      expect(sum / draws / meanBeyondMs(duration, elapsed)).toBeCloseTo(1, 2);
    }
  });

  it('is drawn within what is left', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (u, elapsed) => {
          const ms = drawMs(duration, u, elapsed);
          expect(ms).toBeGreaterThanOrEqual(elapsed);
          expect(Number.isFinite(ms)).toBe(true);
        },
      ),
    );
  });
});

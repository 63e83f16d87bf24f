/** A log-normal duration in ms: `ln X` has mean `mu` and standard deviation `sigma` (0: a constant). */
export interface LogNormal {
  readonly mu: number;
  readonly sigma: number;
}

/** Below this a tail holds so little that dividing by it is noise. */
const TINY = 1e-12;

/** E[X] in ms. */
export function meanMs({ mu, sigma }: LogNormal): number {
  return Math.exp(mu + (sigma * sigma) / 2);
}

/** The duration in ms that a share `p` (0 < p < 1) of the attempts does not exceed. */
export function quantileMs({ mu, sigma }: LogNormal, p: number): number {
  return Math.exp(mu + sigma * normalQuantile(p));
}

/** E[X | X > elapsed] in ms: what an attempt that has run for `elapsed` ms will have taken in the end. */
export function meanBeyondMs(duration: LogNormal, elapsed: number): number {
  if (elapsed <= 0) return meanMs(duration);
  const { mu, sigma } = duration;
  const z = (Math.log(elapsed) - mu) / Math.max(sigma, 1e-9);
  const left = normalTail(z);
  if (sigma <= 0 || left < TINY) return Math.max(elapsed, meanMs(duration));
  return Math.max(elapsed, (meanMs(duration) * normalTail(z - sigma)) / left);
}

/**
 * One draw of X, given that X > elapsed, by inversion: `u` is uniform in 0 to 1, and equal arguments give
 * equal draws. Never below `elapsed`.
 */
export function drawMs(duration: LogNormal, u: number, elapsed = 0): number {
  const { mu, sigma } = duration;
  if (sigma <= 0) return Math.max(elapsed, Math.exp(mu));
  const floor = elapsed <= 0 ? 0 : 1 - normalTail((Math.log(elapsed) - mu) / sigma);
  const p = floor + Math.min(1, Math.max(0, u)) * (1 - floor);
  return Math.max(elapsed, quantileMs(duration, Math.min(1 - 1e-9, Math.max(1e-9, p))));
}

/** P(Z > z) of the standard normal: Numerical Recipes' `erfcc`, error below 1.2e-7 of the value. */
function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const terms = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418,
    0.37409196, 1.00002368, -1.26551223,
  ];
  const exponent = terms.reduce((sum, term) => sum * t + term, 0);
  const tail = (t * Math.exp(exponent - x * x)) / 2;
  return z >= 0 ? tail : 1 - tail;
}

const CENTRE = {
  above: [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ],
  below: [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
    -13.28068155288572, 1,
  ],
};
const TAIL = {
  above: [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783,
  ],
  below: [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
};
const TAIL_FROM = 0.02425;

/** Quantile of the standard normal: Acklam's rational approximation, relative error below 1.15e-9. */
function normalQuantile(p: number): number {
  if (p > 1 - TAIL_FROM) return -normalQuantile(1 - p);
  if (p < TAIL_FROM) {
    const q = Math.sqrt(-2 * Math.log(Math.max(p, Number.MIN_VALUE)));
    return polynomial(TAIL.above, q) / polynomial(TAIL.below, q);
  }
  const q = p - 0.5;
  const r = q * q;
  return (polynomial(CENTRE.above, r) * q) / polynomial(CENTRE.below, r);
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

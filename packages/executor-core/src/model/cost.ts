/** What an agent says its work has cost. `null`: it did not say. */
export interface Cost {
  /** US dollars. */
  readonly usd: number | null;
  /** Tokens read and written together. */
  readonly tokens: number | null;
}

export const NO_COST: Cost = { usd: null, tokens: null };

/** What nobody told adds nothing. */
export function sumOfCosts(costs: Iterable<Cost>): Cost {
  let sum = NO_COST;
  for (const { usd, tokens } of costs)
    sum = { usd: plus(sum.usd, usd), tokens: plus(sum.tokens, tokens) };
  return sum;
}

/** `0.42 USD, 12000 tokens`, as far as it is known; empty when nothing is. */
export function costText({ usd, tokens }: Cost): string {
  // Six places: what one request costs may be less than a cent.
  const dollars = usd === null ? [] : [`${Number(usd.toFixed(6))} USD`];
  return [...dollars, ...(tokens === null ? [] : [`${tokens} tokens`])].join(', ');
}

export function isCostKnown({ usd, tokens }: Cost): boolean {
  return usd !== null || tokens !== null;
}

function plus(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return a + b;
}

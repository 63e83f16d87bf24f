import { fn } from './fn.mjs';

/** Libraries of the demo shop that no agent changes: they must stay green. */
export const PRODUCTS = [
  {
    name: 'order',
    uses: { cart: ['subtotal'], tax: ['gross'], shipping: ['quote'] },
    functions: [
      fn(
        '@param {number[]} prices\n@param {number} rate',
        'export function goods(prices, rate) {\n  return gross(subtotal(prices), rate);\n}',
      ),
      fn(
        '@param {number[]} prices\n@param {string} country',
        'export function total(prices, country) {\n  return goods(prices, 0.2) + quote(country, 400);\n}',
      ),
    ],
    examples: [
      ['goods([4, 6], 0.2)', 12],
      ["total([4, 6], 'DE')", 15],
    ],
  },
  {
    name: 'invoice',
    uses: { order: ['total'], money: ['formatMoney'], dates: ['daysIn'] },
    functions: [
      fn(
        '@param {number[]} prices\n@param {string} country',
        "export function amountDue(prices, country) {\n  return formatMoney(total(prices, country), 'EUR');\n}",
      ),
      fn(
        '@param {number} year\n@param {number} month',
        'export function dueDay(year, month) {\n  return Math.min(30, daysIn(year, month));\n}',
      ),
    ],
    examples: [
      ["amountDue([4, 6], 'DE')", '15.00 EUR'],
      ['dueDay(2023, 2)', 28],
    ],
  },
  {
    name: 'catalog',
    uses: { slug: ['slugOf'], search: ['matches'] },
    functions: [
      fn(
        '@param {string} title',
        'export function pathOf(title) {\n  return `/products/${slugOf(title)}`;\n}',
      ),
      fn(
        '@param {string[]} titles\n@param {string} query',
        'export function find(titles, query) {\n  return titles.filter((title) => matches(title, query));\n}',
      ),
    ],
    examples: [
      ["pathOf('Red Shoe')", '/products/red-shoe'],
      ["find(['Red Shoe', 'Hat'], 'hat')", ['Hat']],
    ],
  },
  {
    name: 'review',
    uses: { rating: ['score', 'stars'] },
    functions: [
      fn(
        '@param {number[]} votes',
        'export function badge(votes) {\n  return stars(score(votes));\n}',
      ),
      fn(
        '@param {number[]} votes',
        'export function isPopular(votes) {\n  return votes.length > 2 && score(votes) > 4;\n}',
      ),
    ],
    examples: [
      ['badge([3, 3])', '***--'],
      ['isPopular([5, 5, 4])', true],
    ],
  },
  {
    name: 'contact',
    uses: { email: ['looksValid'], phone: ['digits'] },
    functions: [
      fn(
        '@param {string} value',
        "export function kindOf(value) {\n  return looksValid(value) ? 'email' : digits(value).length > 5 ? 'phone' : 'unknown';\n}",
      ),
      fn(
        '@param {string[]} values',
        "export function reachable(values) {\n  return values.some((value) => kindOf(value) !== 'unknown');\n}",
      ),
    ],
    examples: [
      ["kindOf('a@b.org')", 'email'],
      ["reachable(['x', '030 1234567'])", true],
    ],
  },
  {
    name: 'wallet',
    uses: { loyalty: ['points', 'tier'], codes: ['isVoucher'] },
    functions: [
      fn(
        '@param {number} spent',
        'export function level(spent) {\n  return tier(points(spent));\n}',
      ),
      fn(
        '@param {string[]} codes',
        'export function valid(codes) {\n  return codes.filter((code) => isVoucher(code));\n}',
      ),
    ],
    examples: [
      ['level(1200)', 'gold'],
      ["valid(['ABCD', 'no'])", ['ABCD']],
    ],
  },
  {
    name: 'report',
    uses: { stats: ['mean', 'median'], labels: ['fit'], pages: ['pageCount'] },
    functions: [
      fn(
        '@param {number[]} sales',
        'export function summary(sales) {\n  return fit(`mean ${mean(sales)}, median ${median(sales)}`, 40);\n}',
      ),
      fn(
        '@param {number[]} sales',
        'export function sheets(sales) {\n  return pageCount(sales.length, 2);\n}',
      ),
    ],
    examples: [
      ['summary([1, 2, 3])', 'mean 2, median 2'],
      ['sheets([1, 2, 3])', 2],
    ],
  },
];

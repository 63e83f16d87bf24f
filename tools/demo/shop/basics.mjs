import { fn } from './fn.mjs';

/** Libraries of the demo shop that stand at the bottom. */
export const BASICS = [
  {
    name: 'money',
    functions: [
      fn(
        '@param {number} amount',
        'export function toCents(amount) {\n  return Math.round(amount * 100);\n}',
      ),
      fn('@param {number} cents', 'export function fromCents(cents) {\n  return cents / 100;\n}'),
      fn(
        '@param {number} amount\n@param {string} currency',
        'export function formatMoney(amount, currency) {\n  return `${amount.toFixed(2)} ${currency}`;\n}',
      ),
    ],
    examples: [
      ['toCents(1.25)', 125],
      ['fromCents(125)', 1.25],
      ["formatMoney(3, 'EUR')", '3.00 EUR'],
    ],
  },
  {
    name: 'text',
    functions: [
      fn(
        '@param {string} text',
        'export function words(text) {\n  return text.split(/\\s+/).filter(Boolean);\n}',
      ),
      fn(
        '@param {string} text',
        'export function capitalise(text) {\n  return text.charAt(0).toUpperCase() + text.slice(1);\n}',
      ),
    ],
    examples: [
      ["words(' a b  c')", ['a', 'b', 'c']],
      ["capitalise('shop')", 'Shop'],
    ],
  },
  {
    name: 'list',
    functions: [
      fn(
        '@param {number[]} values',
        'export function sum(values) {\n  return values.reduce((total, value) => total + value, 0);\n}',
      ),
      fn(
        '@param {number[]} values\n@param {number} size',
        'export function chunk(values, size) {\n  const chunks = [];\n  for (let at = 0; at < values.length; at += size) chunks.push(values.slice(at, at + size));\n  return chunks;\n}',
      ),
      fn(
        '@param {string[]} values',
        'export function unique(values) {\n  return [...new Set(values)];\n}',
      ),
    ],
    examples: [
      ['sum([1, 2, 3])', 6],
      ['chunk([1, 2, 3], 2)', [[1, 2], [3]]],
      ["unique(['a', 'b', 'a'])", ['a', 'b']],
    ],
  },
  {
    name: 'tax',
    uses: { money: ['toCents', 'fromCents'] },
    functions: [
      fn(
        '@param {number} net\n@param {number} rate',
        'export function taxOf(net, rate) {\n  return fromCents(Math.round(toCents(net) * rate));\n}',
      ),
      fn(
        '@param {number} net\n@param {number} rate',
        'export function gross(net, rate) {\n  return fromCents(toCents(net) + toCents(taxOf(net, rate)));\n}',
      ),
    ],
    examples: [
      ['taxOf(10, 0.2)', 2],
      ['gross(10, 0.2)', 12],
    ],
  },
  {
    name: 'discount',
    uses: { money: ['fromCents', 'toCents'] },
    functions: [
      fn(
        '@param {number} price\n@param {number} percent',
        'export function reduce(price, percent) {\n  return fromCents(Math.round((toCents(price) * (100 - percent)) / 100));\n}',
      ),
      fn(
        '@param {number[]} prices',
        'export function cheapestFree(prices) {\n  return prices.length < 3 ? 0 : Math.min(...prices);\n}',
      ),
    ],
    examples: [
      ['reduce(80, 25)', 60],
      ['cheapestFree([5, 3, 9])', 3],
      ['cheapestFree([5])', 0],
    ],
  },
  {
    name: 'slug',
    uses: { text: ['words'] },
    functions: [
      fn(
        '@param {string} title',
        "export function slugOf(title) {\n  return words(title.toLowerCase().replace(/[^a-z0-9]+/g, ' ')).join('-');\n}",
      ),
      fn(
        '@param {string} slug',
        "export function titleOf(slug) {\n  return slug.split('-').join(' ');\n}",
      ),
    ],
    examples: [
      ["slugOf('Hello, World!')", 'hello-world'],
      ["titleOf('hello-world')", 'hello world'],
    ],
  },
  {
    name: 'dates',
    functions: [
      fn(
        '@param {number} year',
        'export function isLeap(year) {\n  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;\n}',
      ),
      fn(
        '@param {number} year\n@param {number} month',
        'export function daysIn(year, month) {\n  return new Date(Date.UTC(year, month, 0)).getUTCDate();\n}',
      ),
    ],
    examples: [
      ['isLeap(2000)', true],
      ['isLeap(1900)', false],
      ['daysIn(2024, 2)', 29],
    ],
  },
  {
    name: 'cart',
    uses: { list: ['sum'], money: ['formatMoney'] },
    functions: [
      fn(
        '@param {number[]} prices',
        'export function subtotal(prices) {\n  return sum(prices);\n}',
      ),
      fn(
        '@param {number[]} prices\n@param {string} currency',
        'export function receiptLine(prices, currency) {\n  return `${prices.length} items, ${formatMoney(subtotal(prices), currency)}`;\n}',
      ),
    ],
    examples: [
      ['subtotal([2, 3])', 5],
      ["receiptLine([2, 3], 'EUR')", '2 items, 5.00 EUR'],
    ],
  },
  {
    name: 'search',
    uses: { text: ['words'], list: ['unique'] },
    functions: [
      fn(
        '@param {string} query',
        'export function terms(query) {\n  return unique(words(query.toLowerCase()));\n}',
      ),
      fn(
        '@param {string} text\n@param {string} query',
        'export function matches(text, query) {\n  const known = new Set(terms(text));\n  return terms(query).every((term) => known.has(term));\n}',
      ),
    ],
    examples: [
      ["terms('Red red shoe')", ['red', 'shoe']],
      ["matches('Red Shoe', 'shoe')", true],
    ],
  },
  {
    name: 'stock',
    functions: [
      fn(
        '@param {number} onHand\n@param {number} reserved',
        'export function available(onHand, reserved) {\n  return Math.max(0, onHand - reserved);\n}',
      ),
      fn(
        '@param {number} left\n@param {number} perDay',
        'export function daysLeft(left, perDay) {\n  return perDay === 0 ? Infinity : Math.floor(left / perDay);\n}',
      ),
    ],
    examples: [
      ['available(5, 7)', 0],
      ['daysLeft(10, 3)', 3],
    ],
  },
  {
    name: 'shipping',
    functions: [
      fn(
        '@param {number} grams',
        'export function rate(grams) {\n  return grams <= 500 ? 3 : grams <= 2000 ? 6 : 12;\n}',
      ),
      fn(
        '@param {string} country\n@param {number} grams',
        "export function quote(country, grams) {\n  return country === 'DE' ? rate(grams) : rate(grams) * 2;\n}",
      ),
    ],
    examples: [
      ['rate(400)', 3],
      ["quote('FR', 1000)", 12],
    ],
  },
  {
    name: 'checksum',
    functions: [
      fn(
        '@param {string} digits',
        'export function luhn(digits) {\n  const total = [...digits].reverse().reduce((sum, digit, index) => {\n    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);\n    return sum + (value > 9 ? value - 9 : value);\n  }, 0);\n  return total % 10 === 0;\n}',
      ),
      fn(
        '@param {string} text',
        'export function adler(text) {\n  let a = 1;\n  let b = 0;\n  for (const char of text) {\n    a = (a + char.charCodeAt(0)) % 65521;\n    b = (b + a) % 65521;\n  }\n  return b * 65536 + a;\n}',
      ),
    ],
    examples: [
      ["luhn('79927398713')", true],
      ["luhn('79927398710')", false],
      ["adler('Wikipedia')", 300286872],
    ],
  },
];

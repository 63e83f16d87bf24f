import { fn } from './fn.mjs';

/** Libraries of the demo shop that build upon the basics. */
export const FEATURES = [
  {
    name: 'payment',
    uses: { checksum: ['luhn'] },
    functions: [
      fn(
        '@param {string} number',
        "export function mask(number) {\n  return number.slice(-4).padStart(number.length, '*');\n}",
      ),
      fn(
        '@param {string} number',
        'export function isCard(number) {\n  return number.length >= 12 && luhn(number);\n}',
      ),
    ],
    examples: [
      ["mask('123456')", '**3456'],
      ["isCard('4111111111111111')", true],
    ],
  },
  {
    name: 'geo',
    functions: [
      fn(
        '@param {number} degrees',
        'export function radians(degrees) {\n  return (degrees * Math.PI) / 180;\n}',
      ),
      fn(
        '@param {number[]} from\n@param {number[]} to',
        'export function flatDistance(from, to) {\n  return Math.hypot(to[0] - from[0], to[1] - from[1]);\n}',
      ),
    ],
    examples: [
      ['radians(180)', Math.PI],
      ['flatDistance([0, 0], [3, 4])', 5],
    ],
  },
  {
    name: 'route',
    uses: { geo: ['flatDistance'] },
    functions: [
      fn(
        '@param {string} path',
        "export function segments(path) {\n  return path.split('/').filter((part) => part !== '');\n}",
      ),
      fn(
        '@param {number[]} xs\n@param {number[]} ys',
        'export function tourLength(xs, ys) {\n  let length = 0;\n  for (let i = 1; i < xs.length; i++) length += flatDistance([xs[i - 1], ys[i - 1]], [xs[i], ys[i]]);\n  return length;\n}',
      ),
    ],
    examples: [
      ["segments('/a//b')", ['a', 'b']],
      ['tourLength([0, 3, 3], [0, 4, 5])', 6],
    ],
  },
  {
    name: 'colour',
    functions: [
      fn(
        '@param {string} hex',
        'export function channels(hex) {\n  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));\n}',
      ),
      fn(
        '@param {number[]} rgb',
        "export function toHex(rgb) {\n  return `#${rgb.map((value) => value.toString(16).padStart(2, '0')).join('')}`;\n}",
      ),
    ],
    examples: [
      ["channels('#ff0080')", [255, 0, 128]],
      ['toHex([255, 0, 128])', '#ff0080'],
    ],
  },
  {
    name: 'stats',
    uses: { list: ['sum'] },
    functions: [
      fn(
        '@param {number[]} values',
        'export function mean(values) {\n  return values.length === 0 ? 0 : sum(values) / values.length;\n}',
      ),
      fn(
        '@param {number[]} values',
        'export function median(values) {\n  const sorted = [...values].sort((a, b) => a - b);\n  return sorted[Math.floor(sorted.length / 2)] ?? 0;\n}',
      ),
    ],
    examples: [
      ['mean([1, 2, 3])', 2],
      ['median([9, 1, 5])', 5],
    ],
  },
  {
    name: 'rating',
    uses: { stats: ['mean'] },
    functions: [
      fn(
        '@param {number[]} votes',
        'export function score(votes) {\n  return Math.round(mean(votes) * 10) / 10;\n}',
      ),
      fn(
        '@param {number} score',
        "export function stars(score) {\n  return '*'.repeat(Math.round(score)).padEnd(5, '-');\n}",
      ),
    ],
    examples: [
      ['score([4, 5, 5])', 4.7],
      ['stars(3.4)', '***--'],
    ],
  },
  {
    name: 'email',
    functions: [
      fn(
        '@param {string} address',
        "export function domainOf(address) {\n  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();\n}",
      ),
      fn(
        '@param {string} address',
        'export function looksValid(address) {\n  return /^[^@\\s]+@[^@\\s]+\\.[a-z]+$/i.test(address);\n}',
      ),
    ],
    examples: [
      ["domainOf('Ann@Shop.ORG')", 'shop.org'],
      ["looksValid('no at')", false],
    ],
  },
  {
    name: 'phone',
    functions: [
      fn(
        '@param {string} text',
        "export function digits(text) {\n  return text.replace(/\\D/g, '');\n}",
      ),
      fn(
        '@param {string} text\n@param {string} country',
        "export function international(text, country) {\n  return `+${country}${digits(text).replace(/^0+/, '')}`;\n}",
      ),
    ],
    examples: [
      ["digits('0 30/12')", '03012'],
      ["international('030 12', '49')", '+493012'],
    ],
  },
  {
    name: 'pages',
    functions: [
      fn(
        '@param {number} items\n@param {number} size',
        'export function pageCount(items, size) {\n  return Math.ceil(items / size);\n}',
      ),
      fn(
        '@param {number} page\n@param {number} size',
        'export function range(page, size) {\n  return [(page - 1) * size, page * size];\n}',
      ),
    ],
    examples: [
      ['pageCount(21, 10)', 3],
      ['range(2, 10)', [10, 20]],
    ],
  },
  {
    name: 'units',
    functions: [
      fn(
        '@param {number} grams',
        'export function ounces(grams) {\n  return grams / 28.349523125;\n}',
      ),
      fn(
        '@param {number} bytes',
        'export function humanSize(bytes) {\n  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`;\n}',
      ),
    ],
    examples: [
      ['ounces(28.349523125)', 1],
      ['humanSize(1536)', '1.5 KiB'],
    ],
  },
  {
    name: 'codes',
    functions: [
      fn(
        '@param {number} seed\n@param {number} length',
        "export function voucher(seed, length) {\n  let state = seed;\n  let code = '';\n  while (code.length < length) {\n    state = (state * 1103515245 + 12345) % 2147483648;\n    code += String.fromCharCode(65 + (state % 26));\n  }\n  return code;\n}",
      ),
      fn(
        '@param {string} code',
        'export function isVoucher(code) {\n  return /^[A-Z]{4,}$/.test(code);\n}',
      ),
    ],
    examples: [
      ['voucher(1, 4).length', 4],
      ["isVoucher('ABCD')", true],
    ],
  },
  {
    name: 'loyalty',
    functions: [
      fn(
        '@param {number} spent',
        'export function points(spent) {\n  return Math.floor(spent);\n}',
      ),
      fn(
        '@param {number} points',
        "export function tier(points) {\n  return points >= 1000 ? 'gold' : points >= 100 ? 'silver' : 'basic';\n}",
      ),
    ],
    examples: [
      ['points(12.9)', 12],
      ['tier(150)', 'silver'],
    ],
  },
  {
    name: 'labels',
    uses: { text: ['capitalise'] },
    functions: [
      fn(
        '@param {string} key',
        "export function labelOf(key) {\n  return capitalise(key.replace(/([A-Z])/g, ' $1').toLowerCase());\n}",
      ),
      fn(
        '@param {string} text\n@param {number} width',
        'export function fit(text, width) {\n  return text.length <= width ? text : `${text.slice(0, width - 1)}~`;\n}',
      ),
    ],
    examples: [
      ["labelOf('unitPrice')", 'Unit price'],
      ["fit('abcdef', 4)", 'abc~'],
    ],
  },
];

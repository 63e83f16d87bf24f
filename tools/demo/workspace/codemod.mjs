/**
 * The demo's agent: makes every exported function of one library check its input. It reads the source with
 * the TypeScript compiler, takes the types from the JSDoc, writes the guards, the @throws tags and a test.
 * A second run changes nothing. The goal comes on the file named by PARALLEL_PROMPT_FILE.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import ts from 'typescript';
import { thinkingTime } from './thinking-time.mjs';

const GUARDS = {
  number: (name) => `typeof ${name} !== 'number' || Number.isNaN(${name})`,
  string: (name) => `typeof ${name} !== 'string'`,
  'number[]': (name) =>
    `!Array.isArray(${name}) || !${name}.every((item) => typeof item === 'number')`,
  'string[]': (name) =>
    `!Array.isArray(${name}) || !${name}.every((item) => typeof item === 'string')`,
};
const KINDS = {
  number: 'a number',
  string: 'a text',
  'number[]': 'a list of numbers',
  'string[]': 'a list of texts',
};
const GOOD = { number: '1', string: "'a'", 'number[]': '[1]', 'string[]': "['a']" };
const BAD = { number: "'1'", string: '1', 'number[]': "['1']", 'string[]': '[1]' };

const prompt = readFileSync(process.env.PARALLEL_PROMPT_FILE, 'utf8');
const folder = /packages\/[\w-]+/.exec(prompt)?.[0];
if (folder === undefined) throw new Error(`No folder in the goal: ${prompt}`);

progress(10);
await sleep(thinkingTime(folder));
progress(60);

const path = `${folder}/src/index.js`;
const text = readFileSync(path, 'utf8');
const functions = exportedFunctions(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
writeFileSync(path, applyEdits(text, functions.filter((found) => !found.guarded).flatMap(editsOf)));
writeFileSync(`${folder}/test/validation.test.js`, testOf(functions));
progress(100);
console.log(`${folder}: ${functions.map(({ name }) => name).join(', ')}`);

/** OSC 9;4: the progress report every terminal multiplexer understands. */
function progress(percent) {
  process.stdout.write(`\u001b]9;4;1;${percent}\u0007`);
}

function exportedFunctions(file) {
  return file.statements.filter(isExportedFunction).map((node) => ({
    name: node.name.text,
    bodyStart: node.body.getStart(file) + 1,
    docEnd: ts.getJSDocCommentsAndTags(node)[0].getEnd() - '*/'.length,
    guarded: ts.getJSDocTags(node).some((tag) => tag.tagName.text === 'throws'),
    params: node.parameters.map((param) => ({
      name: param.name.getText(file),
      type: ts.getJSDocType(param)?.getText(file),
    })),
  }));
}

function isExportedFunction(node) {
  const exported = ts.SyntaxKind.ExportKeyword;
  return ts.isFunctionDeclaration(node) && node.modifiers?.some(({ kind }) => kind === exported);
}

function editsOf({ name, params, bodyStart, docEnd }) {
  const guards = params.map(
    (param) =>
      `\n  if (${GUARDS[param.type](param.name)}) {\n` +
      `    throw new TypeError('${name}: ${param.name} must be ${KINDS[param.type]}');\n  }`,
  );
  return [
    { at: docEnd, text: `* @throws {TypeError} when an argument has another type\n ` },
    { at: bodyStart, text: guards.join('') },
  ];
}

/** From the end to the start, so that earlier positions stay right. */
function applyEdits(source, edits) {
  return [...edits]
    .sort((a, b) => b.at - a.at)
    .reduce((result, edit) => result.slice(0, edit.at) + edit.text + result.slice(edit.at), source);
}

function testOf(functions) {
  const tests = functions.map(({ name, params }) => {
    const calls = params.map((param, wrong) => {
      const values = params.map(({ type }, index) => (index === wrong ? BAD[type] : GOOD[type]));
      return `  assert.throws(() => ${name}(${values.join(', ')}), /${name}: ${param.name} must be/);`;
    });
    return `test('${name} refuses input of another type', () => {\n${calls.join('\n')}\n});\n`;
  });
  return [
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    `import { ${functions.map(({ name }) => name).join(', ')} } from '../src/index.js';`,
    '',
    ...tests,
  ].join('\n');
}

import { extname, join } from 'node:path';
import type { HelperAnswer, TextVersions } from '../merge/ladder/ladder-helpers';
import type { Entity } from '../merge/ladder/merge-entities';
import { END, mergeEntities } from '../merge/ladder/merge-entities';
import type { LadderTools } from './ladder-tools';
import { runTool, withFolder } from './ladder-tools';

const SOURCES: ReadonlySet<string> = new Set(['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx']);
const LIMIT_MS = 20_000;
const ANSWER = 'entities.json';

/**
 * Reads files with the TypeScript of the workspace, in a process of its own: what is in `node_modules` is
 * never loaded into ours. Arguments: the module, the files. Writes per file the end (offset of a character), key and import list
 * of each statement, or `null` where it does not parse.
 */
const READER = `
const [module_, ...files] = process.argv.slice(1);
const ts = require(module_);
const fs = require('node:fs');
const nameOf = (node) => node.name ? node.name.text : '';
const listOf = (node) => {
  const clause = node.importClause;
  const named = clause && clause.namedBindings;
  if (!named || !ts.isNamedImports(named)) return undefined;
  const text = node.getText();
  return {
    head: text.slice('import'.length, text.indexOf('{')).trim(),
    names: named.elements.map((one) => one.getText()),
    module: node.moduleSpecifier.getText(),
  };
};
const keyOf = (node) => {
  const kind = ts.SyntaxKind[node.kind];
  if (ts.isVariableStatement(node))
    return 'value ' + node.declarationList.declarations.map((one) => one.name.getText()).join(',');
  if (ts.isImportDeclaration(node)) {
    const list = listOf(node);
    return kind + ' ' + (list ? list.head : node.getText()) + ' ' + node.moduleSpecifier.text;
  }
  const name = nameOf(node);
  // One name has one value: a function that became a class is the same entity, changed.
  if (name && (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isEnumDeclaration(node)))
    return 'value ' + name;
  return name ? kind + ' ' + name : kind + ' ' + node.getText();
};
const read = (file) => {
  const text = fs.readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  if (source.parseDiagnostics.length > 0) return null;
  return source.statements.map((node) => ({
    end: node.end, key: keyOf(node),
    ...(ts.isImportDeclaration(node) && listOf(node) ? { imported: listOf(node) } : {}),
  }));
};
fs.writeFileSync('${ANSWER}', JSON.stringify(files.map(read)));
`;

interface Statement extends Pick<Entity, 'key' | 'imported'> {
  readonly end: number;
}

/**
 * Merges TypeScript and JavaScript by their top-level declarations. `null` when the workspace has no
 * TypeScript, a version does not parse or holds two declarations in one line, or the result does not parse.
 */
export async function mergeTypeScript(
  tools: LadderTools,
  { path, base, ours, theirs }: TextVersions,
): Promise<HelperAnswer | null> {
  if (!SOURCES.has(extname(path))) return null;
  const compiler = join(tools.root, 'node_modules/typescript');
  if (!(await tools.fs.exists(join(compiler, 'package.json')))) return null;
  const texts = [base ?? Buffer.alloc(0), ours, theirs].map((bytes) => bytes.toString('utf8'));
  const isText = [base ?? Buffer.alloc(0), ours, theirs].every((bytes, at) =>
    Buffer.from(texts[at] ?? '', 'utf8').equals(bytes),
  );
  if (!isText) return null;
  return withFolder(tools.fs, async (folder) => {
    const read = (contents: readonly string[]) =>
      readEntities(tools, { folder, compiler, extension: extname(path) }, contents);
    const [below, left, right] = (await read(texts)) ?? [];
    if (below == null || left == null || right == null) return null;
    const merged = await mergeEntities({ base: below, ours: left, theirs: right }, (...versions) =>
      mergeLines(tools, folder, versions),
    );
    if (merged === null || (await read([merged]))?.[0] == null) return null;
    return {
      content: Buffer.from(merged, 'utf8'),
      reason: 'merged by its declarations, with the TypeScript of the workspace',
    };
  });
}

interface Reader {
  readonly folder: string;
  readonly compiler: string;
  readonly extension: string;
}

/** The entities of each text, `null` for one that cannot be read; `null` when none can. */
async function readEntities(
  tools: LadderTools,
  { folder, compiler, extension }: Reader,
  texts: readonly string[],
): Promise<readonly (readonly Entity[] | null)[] | null> {
  const { fs } = tools;
  const names = texts.map((_, at) => `${at}${extension}`);
  for (const [at, name] of names.entries()) await fs.replace(join(folder, name), texts[at] ?? '');
  const argv = [process.execPath, '-e', READER, compiler, ...names];
  if (!(await runTool(tools, argv, folder, LIMIT_MS))) return null;
  const answer = await fs.readText(join(folder, ANSWER));
  if (answer === null) return null;
  const files = JSON.parse(answer) as readonly (readonly Statement[] | null)[];
  return files.map((statements, at) =>
    statements === null ? null : entitiesOf(texts[at] ?? '', statements),
  );
}

/** Cuts a text behind the lines its statements end in; overloads of one function are one entity. */
function entitiesOf(text: string, statements: readonly Statement[]): readonly Entity[] | null {
  const entities: Entity[] = [];
  let start = 0;
  for (const { end, key, imported } of statements) {
    const lineEnd = text.indexOf('\n', end);
    const stop = lineEnd < 0 ? text.length : lineEnd + 1;
    if (end <= start) return null;
    const last = entities.at(-1);
    const piece = text.slice(start, stop);
    if (last?.key === key) entities[entities.length - 1] = { key, text: last.text + piece };
    else entities.push({ key, text: piece, ...(imported === undefined ? {} : { imported }) });
    start = stop;
  }
  // A file that ends without a newline may get something behind its last line.
  return text !== '' && !text.endsWith('\n')
    ? null
    : [...entities, { key: END, text: text.slice(start) }];
}

async function mergeLines(
  { git, fs }: LadderTools,
  folder: string,
  [base, ours, theirs]: readonly [string, string, string],
): Promise<string | null> {
  const names = ['ours.part', 'base.part', 'theirs.part'];
  for (const [at, text] of [ours, base, theirs].entries())
    await fs.replace(join(folder, names[at] ?? ''), text);
  const merged = await git.run(['merge-file', '-p', '--quiet', ...names], { cwd: folder });
  return merged.exitCode === 0 ? merged.stdout : null;
}

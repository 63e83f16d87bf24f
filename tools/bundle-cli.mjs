/**
 * Bundles the command line with the engine into one file, `packages/cli/dist/main.js`, because Node
 * needs longer to find and compile some 250 small files than to do what they say. Beside it lies a
 * file with the licences of what was bundled. Exits 1 when a package comes without a licence text.
 */
import { build } from 'esbuild';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..');
const dist = join(repository, 'packages/cli/dist');
/** Rarely wanted and large, so they stay out of what every start reads. */
const LATE = ['chalk', 'simple-git', 'yaml'];

/** Packages of their own files. */
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(?:${LATE.join('|')})$`) }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: `./${path}.js`, external: true },
    );
  },
};

const { metafile } = await bundle();
writeFileSync(join(dist, 'third-party-licenses.txt'), notices(bundledPackages(metafile)));

function bundle() {
  rmSync(dist, { recursive: true, force: true });
  return build({
    absWorkingDir: repository,
    entryPoints: {
      main: 'packages/cli/src/main.ts',
      'compiled-code': 'packages/cli/src/compiled-code.ts',
      ...Object.fromEntries(LATE.map((name) => [name, name])),
    },
    outdir: dist,
    plugins: [apart],
    tsconfig: join(repository, 'tsconfig.base.json'),
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    // The sources of the engine, and ES modules where there are any: of those, what is unused stays out.
    conditions: ['@parallel-executor/source', 'module', 'import'],
    mainFields: ['module', 'main'],
    // Names stay, for stack traces.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
}

/** Folders of the packages that are in the bundle, by name. */
function bundledPackages({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const found = new Map();
  for (const [path, { bytesInOutput }] of inputs) {
    const [, folder, name] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(path) ?? [];
    if (name !== undefined && bytesInOutput > 0) found.set(name, join(repository, folder));
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

function notices(packages) {
  const parts = packages.map(([name, folder]) => {
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${licenceOf(name, folder).trim()}\n`;
  });
  return [`parallel-cli contains the packages below.\n`, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}

function licenceOf(name, folder) {
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} is bundled and comes without a licence text.`);
  return readFileSync(join(folder, file), 'utf8');
}

import * as fs from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { openWorkspace } from '../create-executor';
import { renderDiagnostics } from '../plan/diagnostics';
import { decide } from '../schedule/decide';
import { prepareProblem } from '../schedule/problem';
import { initialState } from '../schedule/run-state';
import { makeRepository } from '../testing/git-repository';
import { runStarted } from '../testing/run-fixture';
import { hostilePlan } from '../testing/hostile-plans';
import { Random } from '../testing/simulation/random';
import { STARTER_PLAN } from './starter-plan';

/** `npm run soak:plans` makes it 10,000; `PE_PLAN=1234` looks at one alone. */
const PLANS = Number(process.env.PE_PLANS ?? 600);
const ONE = process.env.PE_PLAN === undefined ? null : Number(process.env.PE_PLAN);

/** The specification's sample, and what `init` writes. */
const SAMPLES = [
  fs.readFileSync(join(__dirname, '../../../../e2e/fixtures/specification.yaml'), 'utf8'),
  STARTER_PLAN,
];

/** Everything there is in a folder, with contents, but for the plan itself. */
function contentsOf(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/hostile\.(?:yaml|json)$/.test(path))
    .map((path) => {
      const stat = fs.lstatSync(path);
      return `${path} ${stat.mode} ${stat.size} ${stat.isFile() ? fs.readFileSync(path, 'latin1') : ''}`;
    })
    .sort();
}

function globals(): readonly (readonly PropertyKey[])[] {
  return [Object, Array, Function, String, Map].map((one) =>
    Reflect.ownKeys(one.prototype as object),
  );
}

it(`${PLANS} hostile plans are valid or refused with a place, and change nothing`, async () => {
  const repository = await makeRepository({ 'package.json': '{}', 'src/a.ts': '' });
  try {
    const workspace = await openWorkspace(repository.root);
    const before = { files: contentsOf(repository.root), globals: globals() };
    const counts = { valid: 0, refused: 0 };
    const problems: string[] = [];
    let slowest = { seed: 0, ms: 0 };
    for (let seed = ONE ?? 1; seed <= (ONE ?? PLANS); seed += 1) {
      const { bytes, isJson } = hostilePlan(SAMPLES, new Random(seed));
      const file = `hostile.${isJson ? 'json' : 'yaml'}`;
      fs.writeFileSync(join(repository.root, file), bytes);
      const since = performance.now();
      const outcome = await workspace.loadPlan({ file }).then(
        (loaded) => {
          if (!loaded.ok) return renderDiagnostics(loaded.diagnostics, loaded.text);
          decide(initialState(prepareProblem(loaded.plan)), runStarted(loaded.plan));
          return null;
        },
        (error: unknown) => error,
      );
      const ms = performance.now() - since;
      if (ms > slowest.ms) slowest = { seed, ms };
      counts[outcome === null ? 'valid' : 'refused'] += 1;
      if (outcome === null) continue;
      const place = new RegExp(`^${file.replace('.', '[.]')}:[1-9]\\d*:[1-9]\\d*: error`, 'm');
      if (typeof outcome !== 'string' || !place.test(outcome)) {
        problems.push(`PE_PLAN=${seed}: ${inspect(outcome).slice(0, 1000)}`);
      }
      expect({ seed, globals: globals() }).toEqual({ seed, globals: before.globals });
    }
    expect(problems.slice(0, 20)).toEqual([]);
    expect({ files: contentsOf(repository.root), globals: globals() }).toEqual(before);
    if (ONE === null) {
      expect(Math.min(counts.valid, counts.refused)).toBeGreaterThan(PLANS / 20);
    }
    fs.writeSync(
      2,
      `${PLANS} plans: ${counts.valid} valid, ${counts.refused} refused with a place; ` +
        `slowest ${Math.round(slowest.ms)} ms (PE_PLAN=${slowest.seed})\n`,
    );
  } finally {
    await repository.cleanup();
  }
}, 1_800_000);

import { nodeToolbox } from '../create-executor';
import type { RunEvent } from '../model/event';
import type { Git } from '../ports/git';
import type { TestRepository } from '../testing/git-repository';
import { makeRepository } from '../testing/git-repository';
import { planOf } from '../testing/plan';
import type { Engine } from './engine';
import { openEngine } from './engine';
import type { Run } from './run';
import { continueRun, startRun } from './run';
import { openRunReader } from './run-reader';
import type { Toolbox } from './toolbox';

jest.setTimeout(60_000);

const plan = planOf({
  agents: [{ command: 'mkdir a && echo x >> a/out && echo a >> "$PARALLEL_ROOT/.git/worked"' }],
  tasks: ['a'],
});

/** Holds every move of an integration branch until it is let go, as SIGSTOP would right before it. */
class StandStill {
  readonly reached: Promise<void>;
  private arrive: () => void = () => undefined;
  private readonly gone: Promise<void>;
  letGo: () => void = () => undefined;
  readonly refused: string[] = [];

  constructor() {
    this.reached = new Promise((resolve) => (this.arrive = resolve));
    this.gone = new Promise((resolve) => (this.letGo = resolve));
  }

  git(real: Git): Git {
    return {
      ...real,
      run: (args, options) => real.run(args, options),
      text: (args, options) => real.text(args, options),
      objects: (root, env) => {
        const objects = real.objects(root, env);
        const moveRefs: typeof objects.moveRefs = async (lines) => {
          if (!lines.some((line) => /^update .*_integration /.test(line))) {
            return objects.moveRefs(lines);
          }
          this.arrive();
          await this.gone;
          const answer = await objects.moveRefs(lines);
          if (!answer.ok) this.refused.push(answer.result.stderr);
          return answer;
        };
        return { ...objects, moveRefs };
      },
    };
  }
}

interface Begun {
  readonly run: Run;
  readonly still: StandStill;
  /** From now on nothing is heard of it: neither heartbeats nor, where it leads the lock table, answers. */
  readonly silence: () => Promise<void>;
}

describe('a process that stood still right before a landing, and was taken over', () => {
  let repository: TestRepository;
  beforeEach(async () => {
    repository = await makeRepository({ 'README.md': 'hello\n' });
  });
  afterEach(() => repository.cleanup());

  const engineOf = (tools: Toolbox): Promise<Engine> => openEngine(tools, repository.root, 30_000);

  /** Another process, to which the first one looks dead: its leases pass on at once. */
  const rival = (): Promise<Engine> => {
    const tools = nodeToolbox();
    const { processes } = tools;
    const self = { ...processes.self(), pid: 1, startTime: 'rival' };
    const isAlive: typeof processes.isAlive = ({ startTime }) => startTime === 'rival';
    return engineOf({ ...tools, processes: { ...processes, self: () => self, isAlive } });
  };

  /** The first process, at the edge of its landing. */
  const begin = async (): Promise<Begun> => {
    const still = new StandStill();
    const tools = nodeToolbox();
    const engine = await engineOf({ ...tools, git: still.git(tools.git) });
    const run = await startRun(engine, plan, { frontDoor: 'cli' });
    run.done.catch(() => undefined);
    await still.reached;
    return { run, still, silence: () => engine.leases.close() };
  };

  const landings = async (): Promise<number> => {
    const log = await repository.git(['log', '--format=%s%n%b', 'main']);
    return log.split('\n').filter((line) => line.startsWith('Parallel-Task: a')).length;
  };
  const worked = (): Promise<string> => repository.git(['hash-object', '.git/worked']);
  const eventsOf = async (run: Run): Promise<readonly RunEvent[]> => {
    const reader = await openRunReader(nodeToolbox(), repository.root, run.id);
    return reader === null ? [] : reader.events();
  };

  it('lands nothing when it goes on, and says so; the work lands once, with no agent run again', async () => {
    const { run, still, silence } = await begin();
    const before = await worked();
    await silence();
    const continued = await continueRun(await rival(), run.id, plan);
    const result = await continued.done;
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await landings()).toBe(1);
    const tip = await repository.git(['rev-parse', 'main']);

    still.letGo();
    await expect(run.done).rejects.toThrow(/took this checkout over while that of PEXEC-\d+ stood/);
    expect(still.refused.join()).toContain('refs/parallel/fence/');
    expect(await repository.git(['rev-parse', 'main'])).toBe(tip);
    expect(await worked()).toBe(before);
    expect((await eventsOf(run)).filter(({ type }) => type === 'task:landed')).toHaveLength(1);
  });

  it('records nothing any more, whatever it goes on with', async () => {
    const { run, still, silence } = await begin();
    await silence();
    const continued = await continueRun(await rival(), run.id, plan);
    await continued.done;
    const told = (await eventsOf(run)).length;
    run.kill('all');
    still.letGo();
    await run.done.catch(() => undefined);
    expect(await eventsOf(run)).toHaveLength(told);
  });

  it('lands nothing either when the checkout went to a run of its own', async () => {
    const { run, still, silence } = await begin();
    await silence();
    const other = await startRun(await rival(), plan, { frontDoor: 'cli' });
    await other.done;
    const tip = await repository.git(['rev-parse', 'main']);
    still.letGo();
    await expect(run.done).rejects.toMatchObject({ kind: 'busy' });
    expect(await repository.git(['rev-parse', 'main'])).toBe(tip);
    expect(await landings()).toBe(1);
  });

  it('lands as ever when it was not', async () => {
    const { run, still } = await begin();
    still.letGo();
    await run.done;
    expect(await landings()).toBe(1);
    expect(still.refused).toEqual([]);
  });
});

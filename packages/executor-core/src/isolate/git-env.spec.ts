import { parseRunId, parseTaskId } from '../model/ids';
import { agentEnvironment, type AgentEnvironmentInput, checkEnvironment } from './git-env';

const input: AgentEnvironmentInput = {
  base: {},
  run: parseRunId('PEXEC-1'),
  task: parseTaskId('landing'),
  slot: 3,
  attempt: 2,
  baseCommit: 'abc',
  promptFile: '/repo/.parallel/prompt.md',
  feedbackFile: null,
  noopFile: '/repo/.parallel/noop.txt',
  costFile: '/repo/.parallel/cost.jsonl',
  lastWork: null,
  resumedFrom: null,
  reads: ['src/**', 'package.json'],
  writes: ['src/landing/**'],
  stateRoot: '/repo',
  ports: null,
  profileEnv: {},
  taskEnv: {},
};

describe('agentEnvironment', () => {
  it('tells the agent its run, task, slot, attempt, base, files and globs', () => {
    const after = { feedbackFile: '/repo/.parallel/feedback.md', lastWork: 'refs/parallel/x/1' };
    expect(agentEnvironment({ ...input, ...after })).toEqual({
      NX_DAEMON: 'false',
      PARALLEL_RUN_ID: 'PEXEC-1',
      PARALLEL_TASK_ID: 'landing',
      PARALLEL_AGENT_ID: 'agent-3',
      PARALLEL_ATTEMPT: '2',
      PARALLEL_BASE: 'abc',
      PARALLEL_PROMPT_FILE: '/repo/.parallel/prompt.md',
      PARALLEL_FEEDBACK_FILE: '/repo/.parallel/feedback.md',
      PARALLEL_NOOP_FILE: '/repo/.parallel/noop.txt',
      PARALLEL_COST_FILE: '/repo/.parallel/cost.jsonl',
      PARALLEL_LAST_WORK: 'refs/parallel/x/1',
      PARALLEL_READS: 'src/**\npackage.json',
      PARALLEL_WRITES: 'src/landing/**',
      PARALLEL_ROOT: '/repo',
    });
  });

  it('tells agents and checks their ports, and never another run’s', () => {
    const ports = { base: 21_000, count: 10 };
    const own = { PARALLEL_PORT_BASE: '21000', PARALLEL_PORT_COUNT: '10' };
    expect(agentEnvironment({ ...input, ports })).toMatchObject(own);
    expect(checkEnvironment({}, 'abc', ports)).toMatchObject(own);
    const inherited = { base: { PARALLEL_PORT_BASE: '22000' } };
    expect(agentEnvironment({ ...input, ...inherited })).not.toHaveProperty('PARALLEL_PORT_BASE');
  });

  it('names no last attempt on a first one, not even an inherited one', () => {
    const base = { PARALLEL_FEEDBACK_FILE: '/old', PARALLEL_LAST_WORK: 'refs/old' };
    const env = agentEnvironment({ ...input, base });
    expect(env).not.toHaveProperty('PARALLEL_FEEDBACK_FILE');
    expect(env).not.toHaveProperty('PARALLEL_LAST_WORK');
  });

  it('hands on nothing of Nx, git or an outer run', () => {
    const base = {
      PATH: '/bin',
      HOME: '/home/me',
      NX_TASK_TARGET_PROJECT: 'x',
      NX_WORKSPACE_ROOT: '/repo',
      GIT_DIR: '/repo/.git',
      GIT_INDEX_FILE: '/x',
      PARALLEL_TOKEN: 'secret',
      PWD: '/repo',
      INIT_CWD: '/repo',
      UNSET: undefined,
    };
    const env = agentEnvironment({ ...input, base });
    expect(env).toMatchObject({ PATH: '/bin', HOME: '/home/me', NX_DAEMON: 'false' });
    expect(Object.keys(env).filter((name) => /^(NX|GIT)_/.test(name))).toEqual(['NX_DAEMON']);
    for (const name of ['PARALLEL_TOKEN', 'PWD', 'INIT_CWD', 'UNSET'])
      expect(env).not.toHaveProperty(name);
  });

  it('lets the task win over the profile, and us over both', () => {
    const env = agentEnvironment({
      ...input,
      base: { A: 'outside', B: 'outside', C: 'outside' },
      profileEnv: { A: 'profile', B: 'profile', PARALLEL_TASK_ID: 'other' },
      taskEnv: { A: 'task', GIT_AUTHOR_NAME: 'Bot', PARALLEL_BASE: 'other' },
    });
    expect(env).toMatchObject({ A: 'task', B: 'profile', C: 'outside', GIT_AUTHOR_NAME: 'Bot' });
    expect(env).toMatchObject({ PARALLEL_TASK_ID: 'landing', PARALLEL_BASE: 'abc' });
  });
});

describe('checkEnvironment', () => {
  it('is as neutral as the agent’s and tells the base', () => {
    const base = { PATH: '/bin', NX_BASE: 'main', GIT_DIR: '/x', PARALLEL_BASE: 'old' };
    expect(checkEnvironment(base, 'abc')).toEqual({
      PATH: '/bin',
      NX_DAEMON: 'false',
      PARALLEL_BASE: 'abc',
    });
  });
});

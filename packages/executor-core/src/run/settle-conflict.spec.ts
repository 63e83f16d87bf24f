import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventOf, RunEvent, RunEventType } from '../model/event';
import type { RunResult } from '../model/result';
import type { ConflictRules, Settings } from '../model/task';
import type { PlanDraft, TaskDraft } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

jest.setTimeout(60_000);

let rig: RunRig;
beforeEach(async () => {
  rig = await makeRunRig({ 'README.md': 'hello\n', 'shared.txt': 'top\nbase\nend\n' });
});
afterEach(async () => {
  await rig.done();
});

const RETRY: Settings['retry'] = { maxRetries: 1, backoff: 'none', baseMs: 0, maxMs: 0 };
const until = (file: string): string =>
  `until test -e "$PARALLEL_ROOT/.git/${file}"; do sleep 0.02; done`;
const touch = (file: string): string => `touch "$PARALLEL_ROOT/.git/${file}"`;

/** `left` and `right` change one line at once, `left` lands first; a second attempt of `right` says `again`. */
const LEFT = `${until('right.begun')}; sed -i s/base/left/ shared.txt`;
const RIGHT = [
  `echo run >> "$PARALLEL_ROOT/.git/right-runs"`,
  `if [ $PARALLEL_ATTEMPT -gt 1 ]; then echo again >> shared.txt; echo again > right.txt; cp "$PARALLEL_FEEDBACK_FILE" "$PARALLEL_ROOT/.git/feedback"; git status --porcelain > "$PARALLEL_ROOT/.git/status"; exit 0; fi`,
  `${touch('right.begun')}; ${until('left.landed')}; sed -i s/base/right/ shared.txt; echo mine > right.txt`,
].join('; ');
const BOTH = `printf 'top\\nleft\\nright\\nend\\n' > shared.txt; git add shared.txt`;

interface Given {
  readonly rules?: Partial<ConflictRules>;
  readonly settings?: Partial<Settings>;
  readonly right?: Partial<TaskDraft>;
  readonly more?: readonly TaskDraft[];
}

function draft(resolver: string, { rules, settings, right, more = [] }: Given = {}): PlanDraft {
  const conflicts = { rerere: true, structural: true, entity: true, resolver: 'judge', ...rules };
  return {
    agents: [
      { name: 'left', command: LEFT },
      { name: 'right', command: RIGHT },
      { name: 'judge', command: resolver },
      { name: 'other', command: `${until('resolving')}; mkdir -p other; echo other > other/x` },
    ],
    settings: { retry: RETRY, conflictPolicy: 'auto_merge', conflicts, ...settings },
    tasks: [
      { id: 'left', profile: 'left', prompt: 'Say left.', writes: ['shared.txt'] },
      {
        id: 'right',
        profile: 'right',
        prompt: 'Say right.',
        writes: ['shared.txt', 'right.txt'],
        ...right,
      },
      ...more,
    ],
  };
}

async function play(
  plan: PlanDraft,
): Promise<{ readonly result: RunResult; readonly events: readonly RunEvent[] }> {
  const run = await rig.start(plan);
  const events: RunEvent[] = [];
  run.events.on((event) => {
    events.push(event);
    if (event.type === 'task:landed')
      void rig.repository.write({ [`.git/${event.task}.landed`]: '' });
  });
  return { result: await run.done, events };
}

function all<T extends RunEventType>(events: readonly RunEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

const noted = (name: string): string => readFileSync(join(rig.root, '.git', name), 'utf8');
const runsOfRight = (): number => noted('right-runs').trim().split('\n').length;
const landed = (path: string): Promise<string> => rig.git('show', `main:${path}`);

describe('a resolver', () => {
  it('that settles the conflict saves the rerun: both sides land, and it is told', async () => {
    const { result, events } = await play(draft(`${BOTH}; echo kept both`));
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(await landed('shared.txt')).toBe('top\nleft\nright\nend');
    expect(await landed('right.txt')).toBe('mine');
    expect(runsOfRight()).toBe(1);
    expect(all(events, 'task:healing')).toMatchObject([
      { task: 'right', attempt: 2, healer: 'judge', conflict: ['shared.txt'] },
    ]);
    expect(all(events, 'task:healed')).toMatchObject([{ outcome: 'fixed', note: 'kept both' }]);
    const settled = { path: 'shared.txt', rung: 'agent', reason: 'settled by the agent judge' };
    expect(all(events, 'task:landed').at(-1)).toMatchObject({ task: 'right', resolved: [settled] });
    const trailers = await rig.git('log', '-1', '--format=%(trailers)', 'main');
    expect(trailers).toContain('Parallel-Resolved: agent shared.txt');
    expect(trailers).toContain('Parallel-Task: right');
    expect(await rig.git('status', '--porcelain')).toBe('');
    expect(existsSync(join(rig.root, '.worktrees/agent-2'))).toBe(false);
  });

  it('gets what the rules leave, and lands with what they settle', async () => {
    const bump = (key: string): string => `sed -i 's/"${key}": 1/"${key}": 2/' versions.json`;
    await rig.repository.write({ 'versions.json': '{\n  "a": 1,\n  "b": 1\n}\n' });
    await rig.git('add', '.');
    await rig.git('commit', '-qm', 'versions');
    const look = 'git status --porcelain > "$PARALLEL_ROOT/.git/status"';
    const bumping = (command: string, key: string): string =>
      command.replace('sed -i s/base', `${bump(key)}; sed -i s/base`);
    const plan = draft('');
    const agents = [
      { name: 'left', command: bumping(LEFT, 'a') },
      { name: 'right', command: bumping(RIGHT, 'b') },
      { name: 'judge', command: `${look}; ${BOTH}` },
    ];
    const tasks = plan.tasks.map((task) =>
      typeof task === 'string'
        ? task
        : { ...task, writes: [...(task.writes ?? []), 'versions.json'] },
    );
    const { result, events } = await play({ ...plan, agents, tasks });
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(noted('status')).toMatch(/^UU shared\.txt$/m);
    expect(noted('status')).toMatch(/^M {2}versions\.json$/m);
    expect(JSON.parse(await landed('versions.json'))).toEqual({ a: 2, b: 2 });
    expect(await landed('shared.txt')).toBe('top\nleft\nright\nend');
    expect(all(events, 'task:healing')).toMatchObject([{ conflict: ['shared.txt'] }]);
    expect(all(events, 'task:landed').at(-1)?.resolved).toMatchObject([
      { path: 'versions.json', rung: 'structural' },
      { path: 'shared.txt', rung: 'agent' },
    ]);
    expect(runsOfRight()).toBe(1);
  });

  it('finds the conflict open, and is told both sides of it', async () => {
    const look = [
      'test "$PARALLEL_RESOLVING" = 1',
      'git status --porcelain shared.txt > "$PARALLEL_ROOT/.git/status"',
      'cp shared.txt "$PARALLEL_ROOT/.git/marked"',
      'cp "$PARALLEL_FEEDBACK_FILE" "$PARALLEL_ROOT/.git/feedback"',
      'cat > "$PARALLEL_ROOT/.git/prompt"',
      'git rev-parse MERGE_HEAD',
    ];
    const { result, events } = await play(draft(`${look.join(' && ')} && ${BOTH}`));
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(noted('status')).toBe('UU shared.txt\n');
    expect(noted('marked')).toBe('top\n<<<<<<< ours\nleft\n=======\nright\n>>>>>>> theirs\nend\n');
    const feedback = noted('feedback');
    expect(feedback).toMatch(
      /^The work of right conflicts with what has landed\.\n\nIn conflict:\n {2}shared\.txt\n\nWhat right was to do:\n {2}Say right\.\n/,
    );
    expect(feedback).toMatch(
      /meanwhile, the latest first:\n\n {2}\w+ by the task left: Say left\./,
    );
    expect(feedback).toMatch(/What right changed in them:\n[^]*-base\n\+right\n/);
    expect(feedback).toMatch(/What the target changed in them:\n[^]*-base\n\+left\n/);
    expect(noted('prompt')).toContain(feedback.trimEnd());
    expect(all(events, 'task:healed')[0]?.note).toMatch(/^[0-9a-f]{40}$/);
  });

  it.each([
    ['exits with an error', `${BOTH}; exit 3`, {}, /agent exited with code 3/],
    ['leaves markers', 'git add shared.txt', {}, /it left conflict markers in shared\.txt/],
    [
      'commits markers',
      'git add shared.txt; git commit -qm done',
      {},
      /it left conflict markers in shared\.txt/,
    ],
    ['does not say git add', BOTH.split(';')[0] ?? '', {}, /it did not git add: shared\.txt/],
    [
      'touches another file of the write set',
      `${BOTH}; echo more > right.txt`,
      {},
      /it changed files that are not in conflict: right\.txt/,
    ],
    [
      'makes a file of its own',
      `${BOTH}; echo x > shared.txt.orig`,
      {},
      /it changed files that are not in conflict: shared\.txt\.orig/,
    ],
    [
      'drops what the target gained',
      "printf 'top\\nright\\nend\\n' > shared.txt; git add -A",
      {},
      /it dropped what the target gained in shared\.txt/,
    ],
    [
      'deletes the file',
      'git rm -qf shared.txt',
      {},
      /it dropped what the target gained in shared\.txt/,
    ],
    ['takes too long', `${BOTH}; sleep 300`, { timeoutMs: 3000 }, /Timeout exceeded \(3 s\)/],
    [
      'is red by the check of the task',
      BOTH,
      { verify: ['! (grep -q left shared.txt && grep -q right shared.txt)'] },
      /check failed on the worktree/,
    ],
  ])('that %s leaves it to the rerun, which is told', async (_how, resolver, right, note) => {
    const { result, events } = await play(draft(resolver, { right }));
    expect(result.parallel_execution.tasks.completed).toBe(2);
    expect(all(events, 'task:healed')).toMatchObject([{ outcome: 'failed' }]);
    expect(all(events, 'task:healed')[0]?.note).toMatch(note);
    expect(runsOfRight()).toBe(2);
    // The rerun began on the files that had landed, and nothing else.
    expect(await landed('shared.txt')).toBe('top\nleft\nend\nagain');
    expect(noted('status').split('\n').sort().join('')).toBe(' M shared.txt?? right.txt');
    expect(noted('feedback')).toMatch(
      /^Attempt 1 failed: conflicts with the landed work in shared\.txt\.[^]*You start from all that has landed[^]*The resolver judge looked at it \(failed\):/,
    );
    expect(noted('feedback')).toMatch(note);
    expect(await rig.git('log', '--format=%(trailers)', 'main')).not.toContain('Resolved');
  });

  it('may try as often as the plan says, and hears why it was refused', async () => {
    const resolver = [
      `cp "$PARALLEL_FEEDBACK_FILE" "$PARALLEL_ROOT/.git/told"`,
      `cp shared.txt "$PARALLEL_ROOT/.git/marked"`,
      `if ! test -e "$PARALLEL_ROOT/.git/tried"; then ${touch('tried')}; echo x > extra; exit 0; fi`,
      BOTH,
    ].join('; ');
    const { events } = await play(draft(resolver, { rules: { attempts: 2 } }));
    expect(all(events, 'task:healed').map(({ outcome }) => outcome)).toEqual(['failed', 'fixed']);
    expect(noted('told')).toMatch(
      /What you made of it was refused:\n {2}it changed files[^]*extra/,
    );
    expect(noted('marked')).toContain('<<<<<<< ours');
    expect(await landed('shared.txt')).toBe('top\nleft\nright\nend');
    expect(await rig.git('ls-tree', '--name-only', 'main')).not.toContain('extra');
    expect(runsOfRight()).toBe(1);
  });

  it('may be kept to the write set by a sandbox', async () => {
    const plan = draft(BOTH);
    const agents = (plan.agents ?? []).map((agent) =>
      agent.name === 'judge' ? { ...agent, sandbox: 'auto' as const } : agent,
    );
    const { events } = await play({ ...plan, agents });
    expect(all(events, 'task:healed')).toMatchObject([{ outcome: 'fixed' }]);
    expect(await landed('shared.txt')).toBe('top\nleft\nright\nend');
    expect(runsOfRight()).toBe(1);
  });

  it('holds nothing up: another task lands while it thinks', async () => {
    const more = [{ id: 'other', profile: 'other', writes: ['other/**'] }];
    const resolver = `${touch('resolving')}; ${until('other.landed')}; ${BOTH}`;
    const { result, events } = await play(draft(resolver, { more }));
    expect(result.parallel_execution.tasks.completed).toBe(3);
    const order = events.flatMap((event) =>
      event.type === 'task:landed' || event.type === 'task:healed' ? [event.type] : [],
    );
    expect(order).toEqual(['task:landed', 'task:landed', 'task:healed', 'task:landed']);
    expect(await landed('shared.txt')).toBe('top\nleft\nright\nend');
    expect(await landed('other/x')).toBe('other');
  });

  it('is asked anew when what it made conflicts with what landed meanwhile', async () => {
    const resolver = [
      `if test -e "$PARALLEL_ROOT/.git/resolving"; then sed -i '/^[<=>]/d' shared.txt`,
      `else ${touch('resolving')}; ${until('third.landed')}; printf 'top\\nleft\\nright\\nend, right\\n' > shared.txt; fi`,
      'git add shared.txt',
    ].join('\n');
    const plan = draft(resolver, {
      settings: { retry: { ...RETRY, maxRetries: 2 } },
      more: [{ id: 'third', profile: 'third', writes: ['shared.txt'], dependsOn: ['left'] }],
    });
    const third = {
      name: 'third',
      command: `${until('resolving')}; sed -i 's/^end$/end, third/' shared.txt`,
    };
    const { result, events } = await play({ ...plan, agents: [...(plan.agents ?? []), third] });
    expect(result.parallel_execution.tasks.completed).toBe(3);
    expect(all(events, 'task:healed').map(({ outcome }) => outcome)).toEqual(['fixed', 'fixed']);
    expect(all(events, 'task:landed').at(-1)).toMatchObject({
      task: 'right',
      resolved: [{ path: 'shared.txt', rung: 'agent' }],
    });
    expect(await landed('shared.txt')).toBe('top\nleft\nend, third\nright\nend, right');
    expect(runsOfRight()).toBe(1);
  });

  it('is not needed where what landed since has made the conflict go away', async () => {
    const desk = { resources: [{ id: 'desk', exclusive: true, amount: 1, capacity: 1 }] };
    const plan = draft('exit 9', {
      right: desk,
      more: [
        {
          ...{ id: 'third', profile: 'third', writes: ['shared.txt'], dependsOn: ['left'] },
          ...{ priority: 80, ...desk },
        },
      ],
    });
    const third = { name: 'third', command: 'sed -i s/left/base/ shared.txt' };
    const { result, events } = await play({ ...plan, agents: [...(plan.agents ?? []), third] });
    expect(result.parallel_execution.tasks.completed).toBe(3);
    expect(all(events, 'attempt:failed')).toMatchObject([{ task: 'right' }]);
    expect(all(events, 'task:healing')).toEqual([]);
    expect(runsOfRight()).toBe(1);
    expect(await landed('shared.txt')).toBe('top\nright\nend');
    expect(all(events, 'task:landed').at(-1)).not.toHaveProperty('resolved');
  });

  it.each([
    ['leaves conflicts to a person', { conflictPolicy: 'manual' } as const, 'conflicted'],
    ['leaves no retry', { retry: { ...RETRY, maxRetries: 0 } }, 'failed'],
  ])('is not asked where the plan %s', async (_what, settings, state) => {
    const { result, events } = await play(draft(BOTH, { settings }));
    expect(all(events, 'task:healing')).toEqual([]);
    expect(events.some(({ type }) => type === `task:${state}`)).toBe(true);
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(runsOfRight()).toBe(1);
  });
});

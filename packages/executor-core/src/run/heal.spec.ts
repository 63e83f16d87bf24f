import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventOf, RunEvent, RunEventType } from '../model/event';
import type { AgentProfile, Settings } from '../model/task';
import type { PlanDraft } from '../testing/plan';
import type { RunRig } from '../testing/run-rig';
import { makeRunRig } from '../testing/run-rig';

jest.setTimeout(60_000);

let rig: RunRig;
beforeEach(async () => {
  rig = await makeRunRig({ 'README.md': 'hello\n', 'base.txt': 'base\n' });
});
afterEach(async () => {
  await rig.done();
});

const RETRY: Settings['retry'] = { maxRetries: 1, backoff: 'none', baseMs: 0, maxMs: 0 };

/** One task that writes `a/**`, its agent, and a healer. */
function draft(
  agent: string,
  healer: string,
  given: { readonly verify?: readonly string[]; readonly retry?: Settings['retry'] } = {},
): PlanDraft {
  const agents: Partial<AgentProfile>[] = [
    { name: 'worker', command: agent },
    { name: 'medic', command: healer },
  ];
  return {
    agents,
    settings: { healer: 'medic', retry: given.retry ?? RETRY },
    tasks: [{ id: 'a', profile: 'worker', prompt: 'Write a.', verify: given.verify ?? [] }],
  };
}

function all<T extends RunEventType>(events: readonly RunEvent[], type: T): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

const BROKEN = 'mkdir -p a; echo broken > a/x; echo run >> "$PARALLEL_ROOT/.git/agent-runs"';
const agentRuns = (): number =>
  readFileSync(join(rig.root, '.git/agent-runs'), 'utf8').trim().split('\n').length;
const fileOf = (result: { parallel_execution: { id: string } }, name: string): string =>
  readFileSync(
    join(rig.root, '.parallel/runs', result.parallel_execution.id, 'tasks/a', name),
    'utf8',
  );

describe('a healer', () => {
  it('works for no more attempts at once than its profile allows', async () => {
    const log = '"$PARALLEL_ROOT/.git/medics"';
    await rig.run({
      agents: [
        { name: 'worker', command: 'exit 1' },
        {
          name: 'medic',
          command: `echo begin >> ${log}; sleep 0.1; echo end >> ${log}`,
          maxParallel: 1,
        },
      ],
      settings: { healer: 'medic', retry: RETRY },
      tasks: ['a', 'b', 'c'].map((id) => ({ id, profile: 'worker', prompt: `Write ${id}.` })),
    });
    const told = readFileSync(join(rig.root, '.git/medics'), 'utf8').trim().split('\n');
    expect(told).toEqual(['begin', 'end', 'begin', 'end', 'begin', 'end']);
  });

  it('that makes the failed check pass saves the retry: the mended work lands', async () => {
    const { result, events } = await rig.run(
      draft(BROKEN, 'echo good > a/x; echo the word was wrong', {
        verify: ['grep -q good a/x'],
      }),
    );
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await rig.git('show', 'HEAD:a/x')).toBe('good');
    expect(agentRuns()).toBe(1);
    expect(all(events, 'attempt:failed')).toEqual([]);
    expect(all(events, 'task:healing')).toMatchObject([{ attempt: 1, healer: 'medic' }]);
    expect(all(events, 'task:healed')).toMatchObject([
      { attempt: 1, outcome: 'fixed', note: 'the word was wrong' },
    ]);
  });

  it('is told what failed, is in the failed worktree, and has the rights of its task', async () => {
    const look =
      'test "$PARALLEL_HEALING" = 1 && cat > a/prompt && cat a/x "$PARALLEL_FEEDBACK_FILE" > a/seen && ' +
      'echo "$PARALLEL_WRITES" > a/writes';
    const { result } = await rig.run(draft(BROKEN, look, { verify: ['test -e a/seen'] }));
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await rig.git('show', 'HEAD:a/seen')).toMatch(
      /^broken\nAttempt 1 failed: check failed on the worktree: test -e a\/seen\.\nClass: verify-failed\.\n\nCommand: test -e a\/seen\nExit code: 1\n[^]*You are in the worktree as that attempt left it\.[^]*a\/x/,
    );
    expect(await rig.git('show', 'HEAD:a/prompt')).toMatch(/mend what is wrong[^]*Write a\./);
    expect(await rig.git('show', 'HEAD:a/writes')).toBe('a/**');
  });

  it('that cannot do it all leaves its work to the retry, and its words', async () => {
    const agent =
      'mkdir -p a; if [ $PARALLEL_ATTEMPT = 1 ]; then echo one > a/x; exit 3; fi; ' +
      'cat a/x "$PARALLEL_FEEDBACK_FILE" > a/seen; echo "$PARALLEL_LAST_WORK" > a/last';
    const { result, events } = await rig.run(
      draft(agent, 'echo mended >> a/x; echo first; echo the path was wrong'),
    );
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await rig.git('show', 'HEAD:a/x')).toBe('one\nmended');
    expect(await rig.git('show', 'HEAD:a/seen')).toMatch(
      /one\nmended\nAttempt 1 failed: agent exited with code 3\.\nClass: agent-failed\.\nThis is attempt 2, retry 1 of 1\.[^]*You start from the work of attempt 1, mended by the healer[^]*The healer medic looked at it \(fixed\):\n {2}first\n {2}the path was wrong/,
    );
    const [failed] = all(events, 'attempt:failed');
    expect(await rig.git('show', 'HEAD:a/last')).toBe(failed?.salvage);
    expect(await rig.git('show', `${failed?.salvage ?? ''}:a/x`)).toBe('one\nmended');
    expect(fileOf(result, 'attempt-1/healer.log')).toBe('first\nthe path was wrong\n');
  });

  it.each([
    ['exits with an error', 'rm -rf a; echo ruin > base.txt; exit 9', /agent exited with code 9/],
    ['asks to be tried later', 'rm -rf a; exit 75', /tried later/],
    ['takes too long', 'rm -rf a; sleep 300', /Timeout exceeded/],
  ])('that %s makes nothing worse: the plain retry follows', async (_how, healer, note) => {
    const agent =
      'mkdir -p a; if [ $PARALLEL_ATTEMPT = 1 ]; then echo one > a/x; exit 3; fi; ls > a/list';
    const plan = draft(agent, healer);
    const tasks = plan.tasks.map((task) =>
      typeof task === 'string' ? task : { ...task, timeoutMs: 1500 },
    );
    const { result, events } = await rig.run({ ...plan, tasks });
    expect(result.parallel_execution.tasks.completed).toBe(1);
    const [healed] = all(events, 'task:healed');
    expect(healed?.outcome).toBe('failed');
    expect(healed?.note).toMatch(note);
    expect(await rig.git('show', 'HEAD:a/list')).toBe('README.md\na\nbase.txt');
    const [failed] = all(events, 'attempt:failed');
    expect(await rig.git('show', `${failed?.salvage ?? ''}:a/x`)).toBe('one');
    expect(await rig.git('show', `${failed?.salvage ?? ''}:base.txt`)).toBe('base');
  });

  it('that only has words changes nothing, and the next attempt hears them', async () => {
    const agent =
      'mkdir -p a; [ $PARALLEL_ATTEMPT = 2 ] || exit 3; cp "$PARALLEL_FEEDBACK_FILE" a/seen';
    const { events } = await rig.run(draft(agent, 'echo look at line 7'));
    expect(all(events, 'task:healed')).toMatchObject([{ outcome: 'diagnosed' }]);
    expect(await rig.git('show', 'HEAD:a/seen')).toMatch(
      /You start from all that has landed[^]*\(diagnosed\):\n {2}look at line 7/,
    );
  });

  it('may bring an attempt back inside its write set', async () => {
    const { result, events } = await rig.run(
      draft(`${BROKEN}; echo x > outside.txt`, 'rm outside.txt'),
    );
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(agentRuns()).toBe(1);
    expect(all(events, 'attempt:failed')).toEqual([]);
    expect(await rig.git('ls-files')).toBe('README.md\na/x\nbase.txt');
  });

  it('is bound by the write set itself: what strays outside is no cure', async () => {
    const { result, events } = await rig.run(
      draft(BROKEN, 'echo x > outside.txt; echo good > a/x', { verify: ['grep -q good a/x'] }),
    );
    expect(all(events, 'task:healed')).toMatchObject([
      { outcome: 'failed', note: 'it wrote outside the write set: outside.txt' },
    ]);
    expect(result.failures[0]?.attempts.map((attempt) => attempt.class)).toEqual([
      'verify-failed',
      'verify-failed',
    ]);
    expect(await rig.git('ls-files')).toBe('README.md\nbase.txt');
  });

  it('is not asked when no retry is left, nor where nothing can be mended', async () => {
    const none = { ...RETRY, maxRetries: 0 };
    const last = await rig.run(draft('exit 3', 'echo hello', { retry: none }));
    expect(all(last.events, 'task:healing')).toEqual([]);
    const busy =
      'if [ $PARALLEL_ATTEMPT -lt 3 ]; then echo HTTP 429; exit $((74 + PARALLEL_ATTEMPT % 2)); fi';
    const transient = await rig.run(draft(busy, 'echo hello'));
    expect(all(transient.events, 'attempt:failed').map(({ failure }) => failure.kind)).toEqual([
      'try-later',
      'agent-exit',
    ]);
    expect(all(transient.events, 'task:healing')).toEqual([]);
  });

  it('tells its part of the story when the task fails for good', async () => {
    const { result } = await rig.run(
      draft(BROKEN, 'echo note > a/note; echo no idea', { verify: ['grep -q good a/x'] }),
    );
    const [failure] = result.failures;
    expect(failure?.attempts).toMatchObject([
      {
        attempt: 1,
        class: 'verify-failed',
        healer: { profile: 'medic', outcome: 'fixed', note: 'no idea' },
      },
      { attempt: 2, class: 'verify-failed', healer: null },
    ]);
    // The retry went on from the mended work.
    for (const attempt of failure?.attempts ?? []) {
      expect(await rig.git('show', `${attempt.salvage ?? ''}:a/note`)).toBe('note');
    }
  });
});

describe('mended work and a base that moved meanwhile', () => {
  /** `b` lands between the attempts of `a`, which also changes `shared`. */
  const plan = (shared: string): PlanDraft => {
    const until = (what: string): string =>
      `until test -e "$PARALLEL_ROOT/.git/${what}"; do sleep 0.02; done`;
    const first = `if [ $PARALLEL_ATTEMPT = 1 ]; then mkdir -p a; echo one > a/x; ${shared}; exit 3; fi; mkdir -p a`;
    return {
      agents: [
        {
          name: 'worker',
          command: `${first}; cat base.txt > a/base; cp "$PARALLEL_FEEDBACK_FILE" a/seen`,
        },
        {
          name: 'medic',
          command: `echo two > a/x; touch "$PARALLEL_ROOT/.git/healed"; ${until('landed')}`,
        },
        { name: 'other', command: `${until('healed')}; echo moved > base.txt` },
      ],
      settings: { healer: 'medic', retry: RETRY, conflictPolicy: 'auto_merge' },
      tasks: [
        { id: 'a', profile: 'worker', writes: ['a/**', 'base.txt'] },
        { id: 'b', profile: 'other', writes: ['base.txt'] },
      ],
    };
  };
  const runBoth = async (shared: string): Promise<void> => {
    const started = await rig.start(plan(shared));
    started.events.on((event) => {
      if (event.type === 'task:landed' && event.task === 'b') {
        void rig.repository.write({ '.git/landed': '' });
      }
    });
    expect((await started.done).parallel_execution.tasks.completed).toBe(2);
  };

  it('are merged for the retry', async () => {
    await runBoth('true');
    expect(await rig.git('show', 'HEAD:a/x')).toBe('two');
    expect(await rig.git('show', 'HEAD:a/base')).toBe('moved');
  });

  it('in conflict leave the fresh base to the retry, and say so', async () => {
    await runBoth('echo mine > base.txt');
    expect(await rig.git('show', 'HEAD:base.txt')).toBe('moved');
    expect(await rig.git('ls-files', 'a')).toBe('a/base\na/seen');
    expect(await rig.git('show', 'HEAD:a/seen')).toMatch(
      /the mended work of attempt 1, kept in refs\/parallel\/\S+, conflicts with it in\n {2}base\.txt/,
    );
  });
});

describe('work that is red on the merged tree', () => {
  const merged = (agent: string, healer: string): PlanDraft => {
    const plan = draft(agent, healer);
    return { ...plan, settings: { ...plan.settings, verify: ['grep -q good a/x'] } };
  };

  it('is mended before its agent runs again, and lands when the check passes', async () => {
    const { result, events } = await rig.run(
      merged(BROKEN, 'cat a/x "$PARALLEL_FEEDBACK_FILE" > a/seen; echo good > a/x'),
    );
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(agentRuns()).toBe(1);
    expect(all(events, 'attempt:failed')).toMatchObject([
      { attempt: 1, failure: { kind: 'verify-failed', where: 'merged' } },
    ]);
    expect(all(events, 'task:healed')).toMatchObject([{ attempt: 2, outcome: 'fixed' }]);
    expect(await rig.git('show', 'HEAD:a/x')).toBe('good');
    expect(await rig.git('show', 'HEAD:a/seen')).toMatch(
      /^broken\nAttempt 1 failed: check failed on the merged tree: grep -q good a\/x\.[^]*The worktree holds the work of attempt 1/,
    );
  });

  it('goes back to its agent with the healer’s words when they were all it had', async () => {
    const agent =
      '[ $PARALLEL_ATTEMPT = 1 ] && mkdir a && echo broken > a/x && exit 0; cp "$PARALLEL_FEEDBACK_FILE" a/seen; sed -i s/broken/good/ a/x';
    const { result } = await rig.run(merged(agent, 'echo replace the word'));
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await rig.git('show', 'HEAD:a/x')).toBe('good');
    expect(await rig.git('show', 'HEAD:a/seen')).toMatch(
      /fix it, do not redo it[^]*\(diagnosed\):\n {2}replace the word/,
    );
  });

  it('is as it was when the healer failed', async () => {
    const agent =
      '[ $PARALLEL_ATTEMPT = 1 ] && mkdir a && echo broken > a/x && exit 0; ls a base.txt > a/list; sed -i s/broken/good/ a/x';
    const ruin =
      'rm a/x; echo ruin | tee a/junk > base.txt; git add -A; git commit -qm ruin; exit 9';
    const { result } = await rig.run(merged(agent, ruin));
    expect(result.parallel_execution.tasks.completed).toBe(1);
    expect(await rig.git('show', 'HEAD:a/list')).toBe('base.txt\n\na:\nlist\nx');
    expect(await rig.git('show', 'HEAD:base.txt')).toBe('base');
  });
});

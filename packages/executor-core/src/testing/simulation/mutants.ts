/** A small, wrong change to one file of the scheduler, as somebody might make it by mistake. */
export interface Mutant {
  readonly name: string;
  /** File in `schedule/`. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

const mutant = (name: string, file: string, find: string, replace: string): Mutant => ({
  name,
  file,
  find,
  replace,
});

const RESTART = 'after-restart.ts';

/** Every one of these must be noticed by the simulation. */
export const MUTANTS: readonly Mutant[] = [
  mutant(
    'takes a result made under an old lease',
    'transitions.ts',
    '? before.token === candidate.fence',
    '? true',
  ),
  mutant('takes a lease that was granted before', 'transitions.ts', 'token > known.token && ', ''),
  mutant(
    'takes a result twice',
    'transitions.ts',
    'before.candidate.fence < candidate.fence',
    'true',
  ),
  mutant(
    'counts the failure of an old attempt',
    'transitions.ts',
    '|| state.attempt !== event.attempt',
    '',
  ),
  mutant(
    'counts a failure under an old lease',
    'transitions.ts',
    'event.token === undefined || event.token === tokenOf(state)',
    'true',
  ),
  mutant(
    'reuses the number of an attempt',
    'transitions.ts',
    "before.name === 'leasing' ? before.attempt : before.attempt + 1",
    'before.attempt',
  ),
  mutant(
    'takes any slot it is given',
    'evolve.ts',
    'return !isTaken && slot <= state.maxAgents && count < state.maxAgents;',
    'return true;',
  ),
  mutant(
    'begins with one dependency missing',
    'run-state.ts',
    'state.unmet.get(index) === 0',
    'state.unmet.get(index) <= 1',
  ),
  mutant(
    'ignores phases',
    'ready-queue.ts',
    'const part = phase > openPhase ? later[phase] : open;',
    'const part = open;',
  ),
  mutant(
    'opens a barrier one task early',
    'decide.ts',
    'while (turn.state.phaseLeft[turn.state.openPhase] === 0)',
    'while ((turn.state.phaseLeft[turn.state.openPhase] ?? 9) <= 1)',
  ),
  mutant(
    'lets who waits for a phase wait on when it begins',
    'barrier-state.ts',
    'ready: state.ready.openUpTo(opened + 1),',
    '',
  ),
  mutant('never opens a barrier', 'decide.ts', '  openBarriers(turn);\n', ''),
  mutant('never says that a barrier is broken', 'decide.ts', '  reportBroken(turn);\n', ''),
  mutant(
    'takes who was not in the way for one who never is',
    'gate.ts',
    'if (heldAt[index] !== this.number - 1) arrivals.push(index);',
    '',
  ),
  mutant(
    'forgets who has a claim now and had none',
    'gate.ts',
    'if (before < this.last || before === NEVER) this.memory.arrivals.push(index);',
    '',
  ),
  mutant(
    'takes who had a claim once for one who had it ever since',
    'gate.ts',
    'if (before < this.last || before === NEVER)',
    'if (before === NEVER)',
  ),
  mutant(
    'takes who was in the way once for one who still is',
    'gate.ts',
    'return index !== NEVER && this.aheadAt[index] === this.number;',
    'return index !== NEVER;',
  ),
  mutant(
    'counts on nobody after one limit is full',
    'admission.ts',
    'this.hopeful -= this.left[at] ?? 0;',
    'this.hopeful = 0;',
  ),
  mutant('ignores holders', 'gate.ts', 'if (task.profile !== null) this.hold(index);', ''),
  mutant(
    'lets others overtake',
    'admission.ts',
    'if (isShut || goes) this.gate.claim(index, rank);',
    'if (goes) this.gate.claim(index, rank);',
  ),
  mutant(
    'lets two start at once that exclude each other',
    'admission.ts',
    'if (isShut || goes) this.gate.claim(index, rank);',
    'if (isShut) this.gate.claim(index, rank);',
  ),
  mutant('forgets the limits', 'admission.ts', '(this.used[key] ?? 0) < limit', 'limit > 0'),
  mutant(
    'counts no units',
    'gate.ts',
    'return taken > 0 && taken + amount > capacity;',
    'return false;',
  ),
  mutant(
    'forgets how many slots there are',
    'admission.ts',
    'state.maxAgents - occupied(state)',
    'state.maxAgents',
  ),
  mutant(
    'counts who waits for a stranger as at work',
    'admission.ts',
    'if (!waits && taskAt',
    'if (taskAt',
  ),
  mutant(
    'knows no rounds',
    'admission.ts',
    "if (problem.plan.settings.failureStrategy !== 'retry_failed') return null;",
    'if (problem.rank.length >= 0) return null;',
  ),
  mutant(
    'ignores widened leases',
    'gate.ts',
    'if (extraWrites.size === 0) return false;',
    'if (extraWrites.size >= 0) return false;',
  ),
  mutant(
    'mixes the classes up',
    'problem.ts',
    'priorityClass(a.priority) - priorityClass(b.priority)',
    'priorityClass(b.priority) - priorityClass(a.priority)',
  ),
  mutant(
    'lets milestones wait in the queue',
    'problem.ts',
    'Number(a.profile !== null) - Number(b.profile !== null)',
    'Number(b.profile !== null) - Number(a.profile !== null)',
  ),
  mutant(
    'retries without counting',
    'effects.ts',
    'state.spent.get(index) + 1',
    'state.spent.get(index)',
  ),
  mutant(
    'keeps who is done among the holders',
    'effects.ts',
    'put(state.holding, index, isHolding(after))',
    'state.holding.add(index)',
  ),
  mutant(
    'keeps who handed in at work',
    'effects.ts',
    "after.name === 'leasing' || isInSlot(after)",
    'isHolding(after)',
  ),
  mutant('forgets to release dependants', 'effects.ts', "'task:landed': releaseDependants,", ''),
  mutant(
    'forgets who waits for a stranger',
    'effects.ts',
    "state.tasks.get(index).name === 'leasing'",
    "state.tasks.get(index).name !== 'leasing'",
  ),
  mutant(
    'forgets the wake-up',
    'decide.ts',
    "    turn.command({ type: 'wake', task, afterMs });\n",
    '',
  ),
  mutant(
    'forgets the wake-up after a restart',
    RESTART,
    "turn.command({ type: 'wake', task, afterMs: backoffLeftMs(now, turn.at) })",
    'turn.at',
  ),
  mutant(
    'forgets who asked for a lease before the crash',
    RESTART,
    "if (now.name === 'leasing') turn.withdraw(task);",
    '',
  ),
  mutant('makes lost decisions not again', RESTART, "  settleBlocked(turn, 'recovery');\n", ''),
  mutant('forgets to start after a restart', 'decide.ts', "event.type !== 'run:resumed' && ", ''),
  mutant('starts nobody when a task lands', 'decide.ts', 'before.holding !== after.holding ||', ''),
  mutant(
    'frees the lease of an attempt at work',
    'decide.ts',
    "if (now === undefined || (isHolding(now) && now.name !== 'leasing')) return;",
    'if (now === undefined) return;',
  ),
  mutant(
    'keeps the lease of a failed attempt',
    'decide.ts',
    "  turn.command({ type: 'free', task, what: 'all' });\n  const overdue",
    '  const overdue',
  ),
  mutant(
    'keeps the lease of what has landed',
    'decide.ts',
    "if (!isUnderWay(was)) turn.command({ type: 'free', task, what: 'all' });",
    '',
  ),
  mutant(
    'keeps the slot of what is handed in',
    'decide.ts',
    "else if (was !== undefined && isInSlot(was)) turn.command({ type: 'free', task, what: 'slot' });",
    '',
  ),
  mutant(
    'keeps the slot of an agent that has ended',
    'decide.ts',
    "if (leaves) turn.command({ type: 'free', task, what: 'slot' });",
    '',
  ),
  mutant(
    'frees the slot of work that is checked',
    'decide.ts',
    "now?.name === 'verifying' && now.slot === null && now !== stateOf(before, task)",
    "now?.name === 'verifying'",
  ),
  mutant(
    'counts an agent that has ended among those at work',
    'transitions.ts',
    'event.leavesSlot === true ? null : before.slot',
    'before.slot',
  ),
  mutant(
    'gives no late lease back',
    'decide.ts',
    "    turn.command({ type: 'free', task: id, what: 'all', token });\n",
    '',
  ),
  mutant('forgets to land', 'decide.ts', "slot' });\n  turn.command({ type: 'land' })", "slot' })"),
  mutant('ends a drain too early', 'decide.ts', 'return state.holding.size === 0;', 'return true;'),
  mutant(
    'never ends',
    'decide.ts',
    'if (state.settled === state.problem.plan.tasks.length) {',
    'if (state.settled < 0) {',
  ),
  mutant(
    'forgets to block dependants',
    'turn.ts',
    "this.record({ type: 'task:blocked', task, by: cause });",
    '',
  ),
  mutant(
    'forgets later phases',
    'turn.ts',
    '[...graph.dependants(task), ...members]',
    'graph.dependants(task)',
  ),
  mutant(
    'loses the withdrawal',
    'turn.ts',
    "    this.command({ type: 'withdraw', task });\n  }",
    '  }',
  ),
  mutant(
    'lets a suspended agent sleep',
    'turn.ts',
    "this.command({ type: suspended ? 'suspend' : 'continue', task });",
    "if (suspended) this.command({ type: 'suspend', task });",
  ),
  mutant(
    'does not wake an agent to interrupt it',
    'turn.ts',
    "if (this.state.suspended && how === 'interrupt') this.command({ type: 'continue', task });",
    '',
  ),
  mutant(
    'reopens a task and not what stops it',
    'reopen.ts',
    'queue.push(...(graph.nodes.predecessors[node] ?? []));',
    '',
  ),
  mutant(
    'frees nobody who was blocked',
    'reopen.ts',
    '  settleBlocked(turn, by);\n  const deadline',
    '  const deadline',
  ),
];

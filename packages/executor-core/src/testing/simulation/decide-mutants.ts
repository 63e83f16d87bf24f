import type { Mutant } from './mutant';
import { mutant } from './mutant';

/** Of `decide.ts`. */
export const DECIDE_MUTANTS: readonly Mutant[] = [
  mutant(
    'opens a barrier one task early',
    'decide.ts',
    'while (turn.state.phaseLeft[turn.state.openPhase] === 0)',
    'while ((turn.state.phaseLeft[turn.state.openPhase] ?? 9) <= 1)',
  ),
  mutant('never opens a barrier', 'decide.ts', '  openBarriers(turn);\n', ''),
  mutant('never says that a barrier is broken', 'decide.ts', '  reportBroken(turn);\n', ''),
  mutant(
    'forgets the wake-up',
    'decide.ts',
    "    turn.command({ type: 'wake', task, afterMs });\n",
    '',
  ),
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
];

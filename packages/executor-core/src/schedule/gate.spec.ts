import { CORE, type Core } from '../testing/simulation/core';
import { simulate } from '../testing/simulation/simulate';
import { admit } from './admission';
import { Conflicts } from './conflicts';
import { GateMemory } from './gate-memory';
import type { RunState } from './run-state';

/** The same state, with nothing remembered of any earlier one. */
function withoutMemory(state: RunState): RunState {
  const { plan } = state.problem;
  const problem = {
    ...state.problem,
    conflicts: new Conflicts(plan),
    gates: new GateMemory(plan.tasks),
  };
  return { ...state, problem };
}

const idsOf = (state: RunState): readonly string[] => {
  const { milestones, tasks } = admit(state);
  return [...milestones, ...tasks].map(({ id }) => id);
};

describe('what gates remember', () => {
  it('changes no answer, in whatever order states are asked about', () => {
    let asked = 0;
    const states: RunState[] = [];
    const watched: Core = {
      ...CORE,
      decide: (state, event) => {
        const [next, commands] = CORE.decide(state, event);
        // Now and then an earlier state of the run, as when a journal is read again.
        const earlier = states[(asked * 7) % (states.length + 1)];
        for (const one of [next, earlier?.problem === next.problem ? earlier : next]) {
          expect(idsOf(one)).toEqual(idsOf(withoutMemory(one)));
          asked += 1;
        }
        states.push(next);
        if (states.length > 40) states.splice(0, 20);
        return [next, commands];
      },
    };
    for (let seed = 1; seed <= 150; seed += 1) simulate(seed, watched);
    expect(asked).toBeGreaterThan(1000);
  });
});

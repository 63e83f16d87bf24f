import type { Fact } from '../model/event';
import type { AssembleOptions, RunParts } from './run-parts';
import { landingMessage } from './candidate-step';
import type { Engine } from './engine';
import { handInsOf } from './hand-ins';
import { ladderOf } from './ladder-of';
import type { LanderContext } from './lander';
import { inLandingOrder } from './landing-order';
import { queuedCandidates } from './queued-candidates';
import { waitingIn } from './state-queries';
import { landingStyle } from './style-of-plan';
import { slotsOf } from './verifier';

/** Fence of a candidate that was made without a lease, from a result bundle. */
export const NO_LEASE = 0;

/** What a lander of this run works with. */
export function landerContext(
  engine: Engine,
  options: AssembleOptions,
  parts: Pick<RunParts, 'loop' | 'integration' | 'verifier' | 'guard'> & {
    readonly emit: (fact: Fact) => Promise<void>;
  },
): LanderContext {
  const { run, plan, journal, claim } = options;
  const { git, mutex, clock } = engine.tools;
  const shared = options.frontDoor === 'nx';
  return {
    git,
    mutex,
    clock,
    run,
    root: engine.repository.root,
    mergeLock: claim.mergeLock,
    fence: claim.fence,
    onTakenOver: parts.loop.fail,
    integrationRef: parts.integration.ref,
    waiting: async () =>
      inLandingOrder(
        shared ? queuedCandidates(await journal.read()) : waitingIn(parts.loop.current),
        options.wholePlan ?? plan,
      ),
    verifier: parts.verifier,
    slots: slotsOf(plan),
    verifyEach: plan.settings.verifyEach,
    shared,
    checkFences: () => checkFences(engine),
    conflictPolicy: plan.settings.conflictPolicy,
    style: landingStyle(engine, run, plan.settings),
    ladder: ladderOf(engine, options.wholePlan ?? plan),
    messageOf: (waiting) =>
      landingMessage(options.wholePlan ?? plan, run, waiting, engine.redactor),
    gather: handInsOf(parts.loop, clock),
    publish: (mayAbsorb) => parts.integration.follow(mayAbsorb),
    emit: parts.emit,
    insist: (work) => parts.guard.insist(work),
  };
}

/** A candidate may be of another process, so the whole table is asked, not what this process holds. */
async function checkFences(engine: Engine): Promise<(fence: number) => boolean> {
  const current = await engine.leases.tokens();
  return (fence) => fence === NO_LEASE || current.has(fence);
}

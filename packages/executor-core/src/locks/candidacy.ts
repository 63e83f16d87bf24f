import { join } from 'node:path';
import { isIdentity, parseObject } from './ask';
import { readCard, type LeaderCard, type OfficeDeps } from './leader-office';
import type { TableFolder } from './table-folder';

type CandidacyDeps = Pick<OfficeDeps, 'fs' | 'quick' | 'clock' | 'processes'>;

/** Who makes this file tries to lead; the others wait for the card. It names its maker. */
const CANDIDATE_FILE = 'candidate';
/** A candidate has got as far as its card by then, or something is wrong with it. */
const PATIENCE_MS = 1_500;
/** The same for one that has not even said who it is. */
const NAMELESS_PATIENCE_MS = 400;
/** How soon the others look whether it leads; then less and less often, up to the limit. */
const LOOK_MS = 10;
const LOOK_LIMIT_MS = 80;
const LOOK_FACTOR = 1.5;

/**
 * Of many who look for a leader one should try to be it, because to contend for the mutex is dear.
 * Nothing depends on it: beside a candidate that is dead, or does not get as far as leading, another one
 * tries, and then another.
 */
export class Candidacy {
  constructor(private readonly deps: CandidacyDeps) {}

  /**
   * `false`: the caller is to try. `true`: it is to look again, since somebody else did. `old` is a
   * card that is known to be of no use. Resolves soon when `signal` is aborted.
   */
  async standBack(
    folder: TableFolder,
    old: LeaderCard | null,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { quick, clock, processes, fs } = this.deps;
    const path = join(folder.path, CANDIDATE_FILE);
    const self = JSON.stringify(processes.self());
    if (quick.create(path, `${self}\n`) !== 'exists') return false;
    for (let pauseMs = LOOK_MS; !signal.aborted; pauseMs *= LOOK_FACTOR) {
      const verdict = await this.judge(path);
      // Whoever is first to make the file again is the next.
      if (verdict === 'hopeless') quick.remove(path);
      if (verdict !== 'trying') return true;
      await new Promise<void>((resolve) => {
        clock.after(Math.min(LOOK_LIMIT_MS, pauseMs), resolve);
      });
      const card = await readCard(fs, folder);
      if (card !== null && card.address !== old?.address) return true;
    }
    return true;
  }

  /** To be called by who was to try, and has. */
  withdraw(folder: TableFolder): void {
    this.deps.quick.remove(join(folder.path, CANDIDATE_FILE));
  }

  private async judge(path: string): Promise<'trying' | 'hopeless' | 'gone'> {
    const { fs, clock, processes } = this.deps;
    const since = await fs.modifiedAt(path);
    const text = await fs.readText(path);
    if (since === null || text === null) return 'gone';
    const maker = parseObject(text);
    const known = isIdentity(maker) ? maker : null;
    if (known !== null && !processes.isAlive(known)) return 'hopeless';
    const patienceMs = known === null ? NAMELESS_PATIENCE_MS : PATIENCE_MS;
    // Made in the future: the clock was set, and nobody can tell how long it has been there.
    return Math.abs(clock.now() - since) > patienceMs ? 'hopeless' : 'trying';
  }
}

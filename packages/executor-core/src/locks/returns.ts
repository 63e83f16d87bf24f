import type { Session } from './waiting';

/** Most who give back ask again soon, and a message of its own is dear. */
const QUIET_LOOKS = 3;

interface Returned {
  readonly session: Session;
  readonly token: number;
}

/** What is given back, until its owner has heard that the file has gone. */
export class Returns {
  private noted: Returned[] = [];
  private readonly gone = new Map<Session, number[]>();
  private readonly looks = new WeakMap<Session, number>();

  /** Its file will go in this turn. */
  note(session: Session, token: number): void {
    this.noted.push({ session, token });
  }

  /** What was noted since the last cut. */
  cut(): readonly Returned[] {
    const { noted } = this;
    if (noted.length > 0) this.noted = [];
    return noted;
  }

  /** Their files have gone. */
  confirm(returned: readonly Returned[]): void {
    for (const { session, token } of returned) {
      const tokens = this.gone.get(session);
      if (tokens === undefined) this.gone.set(session, [token]);
      else tokens.push(token);
    }
  }

  /** What `session` is to be told now; `null` when there is nothing. */
  take(session: Session): readonly number[] | null {
    const tokens = this.gone.get(session);
    if (tokens === undefined) return null;
    this.gone.delete(session);
    this.looks.delete(session);
    return tokens;
  }

  /** Its line is closed: what it has not heard of, its owner sees to. */
  forget(session: Session): void {
    this.gone.delete(session);
  }

  /**
   * Those who have asked for nothing with whose answer they could have been told, since this was called
   * `QUIET_LOOKS` times.
   */
  overdue(): readonly Session[] {
    const overdue: Session[] = [];
    for (const session of this.gone.keys()) {
      const looks = (this.looks.get(session) ?? 0) + 1;
      this.looks.set(session, looks);
      if (looks > QUIET_LOOKS) overdue.push(session);
    }
    return overdue;
  }
}

import type { Session } from './waiting';

interface Returned {
  readonly session: Session;
  readonly token: number;
}

/** What is given back, until its owner has heard that the file has gone. */
export class Returns {
  private noted: Returned[] = [];
  private readonly gone = new Map<Session, number[]>();

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
    return tokens;
  }

  /** Its line is closed: what it has not heard of, its owner sees to. */
  forget(session: Session): void {
    this.gone.delete(session);
  }

  /** Those who have to be told something. */
  owners(): readonly Session[] {
    return [...this.gone.keys()];
  }
}

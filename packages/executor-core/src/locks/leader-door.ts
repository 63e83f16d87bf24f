import { join } from 'node:path';
import type { Line } from '../ports/channel';
import type { FromLeader, Hello, ToLeader } from './leader-messages';
import { Candidacy } from './candidacy';
import { parseFromLeader, PROTOCOL } from './leader-messages';
import {
  cardPath,
  readCard,
  takeOffice,
  YIELD_FILE,
  type LeaderCard,
  type OfficeDeps,
  type Term,
} from './leader-office';
import { SilenceWatch } from './silence-watch';
import { moveFolder, mutexPath, type TableFolder } from './table-folder';
import type { TableHome } from './table-home';
import type { Session } from './waiting';

/** Where this process stands with the leader: it is the leader, has a line to it, or looks for it. */
type Desk =
  | { readonly kind: 'own'; readonly folder: TableFolder; readonly term: Term }
  | { readonly kind: 'far'; readonly folder: TableFolder; readonly line: Line };

export interface LeaderDoorDeps extends OfficeDeps {
  readonly home: TableHome;
  readonly hear: (message: FromLeader) => void;
  /** There is a leader: say what is to be said to a new one. */
  readonly onOpen: () => void;
  /** There was one; whatever it did not answer is to be said again. */
  readonly onLost: () => void;
  /** Every tenth of a second while it is wanted. */
  readonly onTick: () => void;
  /** The files cannot be written, or the like, for a while now. */
  readonly onTrouble: (error: unknown) => void;
  /** `true` while this process waits for, or holds, something. */
  readonly wanted: () => boolean;
}

const TICK_MS = 100;
/** How often those who wait look whether the leader still leads: its death they see at once. */
const LEADER_LOOK_MS = 400;
/** Somebody else has the mutex: soon it can be reached. */
const PATIENCE_MS = 40;
/** How often who tries to lead looks whether somebody else does. */
const CARD_LOOK_MS = 20;
/** The leader lives and cannot be reached: after this long it is asked to step down. */
const UNREACHABLE_AFTER_MS = 500;
/** An own term without business ends. */
const IDLE_MS = 250;
/** proper-lockfile beats every two seconds; for a leader that has not got as far as its card. */
const LONGEST_MUTEX_BEAT_MS = 6_000;
/** A full disk or too many open files may pass; what fails for so long is an error. */
const FAILING_LIMIT_MS = 1_000;

/**
 * The way to the leader of the lock table. There is always one or will be at once: when nobody answers,
 * whoever gets the table's mutex leads, with what lies on disk.
 */
export class LeaderDoor {
  private desk: Desk | null = null;
  private looking: Promise<void> | null = null;
  private readonly closing = new AbortController();
  private readonly candidacy: Candidacy;
  private cancelTick: (() => void) | null = null;
  private failingSince: number | null = null;
  private lastLook = 0;
  private unreachableSince: number | null = null;
  private readonly silence: SilenceWatch<string>;
  private watched: TableFolder | null = null;
  private readonly session: Session;

  constructor(private readonly deps: LeaderDoorDeps) {
    this.session = this.newSession();
    this.candidacy = new Candidacy(deps);
    this.silence = new SilenceWatch(deps.clock, deps.ttlMs, () => ({
      lastBeat: () => this.lastBeat(),
      ttlMs: deps.ttlMs,
    }));
  }

  /** `false` when there is no leader to be told; `onOpen` will be called when there is one. */
  send(message: ToLeader): boolean {
    this.open();
    const { desk } = this;
    if (desk === null) return false;
    if (desk.kind === 'far') desk.line.send(JSON.stringify(message));
    else desk.term.leader.receive(this.session, message);
    return true;
  }

  /** Looks for the leader, if there is none yet. */
  open(): void {
    if (this.closed) return;
    this.arm();
    if (this.desk !== null) return;
    this.looking ??= this.look().finally(() => {
      this.looking = null;
    });
  }

  /** Steps down, or hangs up; resolves when others may lead. */
  async close(): Promise<void> {
    this.closing.abort();
    this.cancelTick?.();
    await this.looking;
    await this.leave();
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  private get hello(): Hello {
    return { op: 'hello', owner: this.deps.processes.self(), ttlMs: this.deps.ttlMs };
  }

  private newSession(): Session {
    const { owner, ttlMs } = this.hello;
    const tell = (message: FromLeader): void => {
      this.deps.hear(message);
    };
    return { owner, ttlMs, tell };
  }

  private async leave(): Promise<void> {
    const { desk } = this;
    this.desk = null;
    if (desk?.kind === 'far') desk.line.close();
    if (desk?.kind === 'own') await desk.term.end();
  }

  private async look(): Promise<void> {
    while (!this.closed && this.desk === null && this.deps.wanted()) {
      try {
        await this.lookOnce();
        this.failingSince = null;
      } catch (error) {
        const now = this.deps.clock.now();
        this.failingSince ??= now;
        if (Math.abs(now - this.failingSince) < FAILING_LIMIT_MS) {
          await this.pause(CARD_LOOK_MS);
          continue;
        }
        this.failingSince = null;
        this.deps.onTrouble(error);
        return;
      }
    }
    if (this.desk === null) return;
    this.unreachableSince = null;
    if (this.closed) await this.leave();
    else this.deps.onOpen();
  }

  private async lookOnce(): Promise<void> {
    const folder = await this.deps.home.open();
    this.watched = folder;
    const card = await readCard(this.deps.fs, folder);
    if (card !== null && (await this.call(folder, card))) return;
    if (await this.candidacy.standBack(folder, card, this.closing.signal)) return;
    const term = await this.tryToLead(folder, card);
    if (term !== null) {
      const desk: Desk = { kind: 'own', folder, term };
      this.desk = desk;
      void term.over.then(() => {
        this.lost(desk);
      });
      return;
    }
    await this.checkLeader();
  }

  /** Gives up as soon as somebody else leads. */
  private async tryToLead(folder: TableFolder, old: LeaderCard | null): Promise<Term | null> {
    const { fs, clock } = this.deps;
    const abort = new AbortController();
    let cancel: () => void = () => undefined;
    const watch = (): void => {
      cancel = clock.after(CARD_LOOK_MS, () => {
        const look = readCard(fs, folder).catch(() => null);
        void look.then((card) => {
          if (card !== null && card.address !== old?.address) abort.abort();
          if (!abort.signal.aborted) watch();
        });
      });
    };
    watch();
    try {
      return await takeOffice(this.deps, folder, PATIENCE_MS, abort.signal);
    } finally {
      abort.abort();
      cancel();
      this.candidacy.withdraw(folder);
    }
  }

  /** `true` when the leader answers. */
  private async call(folder: TableFolder, card: LeaderCard): Promise<boolean> {
    const { channel } = this.deps;
    if (card.protocol !== PROTOCOL) return false;
    let desk: Desk | null = null;
    const state = { isOpen: true };
    const line = await channel.connect(card.address, {
      onMessage: (text) => {
        const message = parseFromLeader(text);
        if (message !== null && this.desk === desk) this.deps.hear(message);
      },
      onClose: () => {
        state.isOpen = false;
        if (desk !== null) this.lost(desk);
      },
    });
    if (line === null) return false;
    desk = { kind: 'far', folder, line };
    if (!state.isOpen) return false;
    line.send(JSON.stringify(this.hello));
    this.desk = desk;
    return true;
  }

  private lost(desk: Desk): void {
    if (this.desk !== desk) return;
    this.desk = null;
    this.deps.onLost();
    if (this.deps.wanted()) this.open();
  }

  private arm(): void {
    this.cancelTick ??= this.deps.clock.after(TICK_MS, () => {
      this.cancelTick = null;
      void this.tick().then(() => {
        const busy = this.deps.wanted() || this.desk?.kind === 'own' || this.looking !== null;
        if (busy && !this.closed) this.arm();
      });
    });
  }

  private async tick(): Promise<void> {
    const { desk, deps } = this;
    deps.onTick();
    if (desk === null) {
      if (deps.wanted()) this.open();
    } else if (desk.kind === 'far') {
      const now = deps.clock.now();
      if (Math.abs(now - this.lastLook) < LEADER_LOOK_MS) return;
      this.lastLook = now;
      await this.checkLeader().catch(() => undefined);
    } else if (!deps.wanted() && deps.clock.now() - desk.term.lastHeard() > IDLE_MS) {
      await this.leave();
      if (deps.wanted()) this.open();
    }
  }

  /** Leaves a table that has moved; takes it from a leader that is silent; asks one that is out of reach. */
  private async checkLeader(): Promise<void> {
    const { fs, locksDir, clock, quick } = this.deps;
    const folder = this.watched;
    if (folder === null) return;
    if (!(await fs.exists(folder.path))) {
      this.hangUp();
      return;
    }
    if ((await this.silence.find([folder.path])).length > 0) {
      await moveFolder(fs, locksDir, folder);
      this.hangUp();
      return;
    }
    if (this.desk !== null) return;
    this.unreachableSince ??= clock.now();
    if (Math.abs(clock.now() - this.unreachableSince) < UNREACHABLE_AFTER_MS) return;
    this.unreachableSince = null;
    quick.create(join(folder.path, YIELD_FILE), '');
  }

  private hangUp(): void {
    const { desk } = this;
    if (desk?.kind !== 'far') return;
    desk.line.close();
    this.lost(desk);
  }

  private async lastBeat(): Promise<number | null> {
    const folder = this.watched;
    if (folder === null) return null;
    const { fs, locksDir, ttlMs } = this.deps;
    const beat = await fs.modifiedAt(cardPath(folder));
    if (beat !== null) return beat;
    const mutex = await fs.modifiedAt(`${mutexPath(locksDir, folder)}.lock`);
    return mutex === null ? null : mutex + Math.max(0, LONGEST_MUTEX_BEAT_MS - ttlMs);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.deps.clock.after(ms, resolve));
  }
}

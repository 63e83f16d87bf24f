import { join } from 'node:path';
import type { ProcessIdentity } from '../model/process';
import type { Channel, Line, LineEvents, Listener } from '../ports/channel';
import type { Clock } from '../ports/clock';
import type { FileSystem } from '../ports/file-system';
import type { Mutex } from '../ports/mutex';
import { MutexTimeout } from '../ports/mutex';
import type { Processes } from '../ports/processes';
import type { QuickFiles } from '../ports/quick-files';
import { isIdentity, parseObject } from './ask';
import { parseHello, parseToLeader, PROTOCOL, type FromLeader } from './leader-messages';
import { NumberRange } from './number-range';
import { isIdleName } from './lease-files';
import { createTableFiles, readTable, type TableFiles } from './table-files';
import { findFolder, mutexPath, type TableFolder } from './table-folder';
import { TableLeader } from './table-leader';
import { createTakeover } from './takeover';
import type { Session } from './waiting';

/** What everybody here works with. */
export interface OfficeDeps {
  readonly fs: FileSystem;
  readonly quick: QuickFiles;
  readonly clock: Clock;
  readonly mutex: Mutex;
  readonly processes: Processes;
  readonly channel: Channel;
  /** Absolute path. */
  readonly locksDir: string;
  /** How long a live leader or holder may be silent before it is taken over; ms. */
  readonly ttlMs: number;
}

/** `leader-<epoch>.json` beside the table: who leads, and where it is reached. */
export interface LeaderCard {
  readonly protocol: number;
  readonly address: string;
  readonly owner: ProcessIdentity;
  readonly since: number;
}

/** The time in which this process leads. */
export interface Term {
  readonly leader: TableLeader;
  /** Epoch ms of the last message of another process. */
  readonly lastHeard: () => number;
  /** Steps down; resolves when others may lead. */
  end(): Promise<void>;
  /** Resolves when it is over, for whatever reason. */
  readonly over: Promise<void>;
}

const TICK_MS = 100;
const BEATS_PER_TTL = 4;
/** Somebody who cannot reach the leader left this file: the leader steps down. */
export const YIELD_FILE = 'yield';

/**
 * Path of the leader's card; its modification time is the leader's heartbeat. It names the epoch: the
 * card of a leader that was taken over comes along with the table, and says nothing of the next one.
 */
export function cardPath({ path, epoch }: TableFolder): string {
  return join(path, `leader-${epoch}.json`);
}

/** Who leads, as far as the card tells; `null` when nobody does or it is just being written. */
export async function readCard(fs: FileSystem, folder: TableFolder): Promise<LeaderCard | null> {
  const text = await fs.readText(cardPath(folder));
  if (text === null) return null;
  const card = parseObject(text);
  if (card === null) return null;
  const { protocol, address, owner, since } = card;
  if (typeof protocol !== 'number' || typeof since !== 'number') return null;
  if (typeof address !== 'string' || !isIdentity(owner)) return null;
  return { protocol, address, owner, since };
}

/**
 * Tries to become the leader for the table in `folder`; `null` when somebody else leads, or the table
 * has moved, or `signal` is aborted. The leader holds the table's mutex for its whole term. Rejects when files cannot be written.
 */
export function takeOffice(
  deps: OfficeDeps,
  folder: TableFolder,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Term | null> {
  return new Promise((resolve, reject) => {
    let began = false;
    let resolveOver: () => void = () => undefined;
    const over = new Promise<void>((done) => {
      resolveOver = done;
    });
    const body = async (): Promise<void> => {
      const tenure = await Tenure.begin(deps, folder);
      if (tenure === null) return;
      began = true;
      resolve({
        leader: tenure.leader,
        lastHeard: () => tenure.lastHeard,
        end: () => {
          tenure.end();
          return over;
        },
        over,
      });
      await tenure.done;
    };
    deps.mutex.with(mutexPath(deps.locksDir, folder), body, patienceMs, signal).then(
      () => {
        resolve(null);
        resolveOver();
      },
      (error: unknown) => {
        // After the beginning: the mutex was taken away, as that of an old epoch may be.
        if (!began && !(error instanceof MutexTimeout)) reject(asError(error));
        resolve(null);
        resolveOver();
      },
    );
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What a leader does besides deciding: listens, beats, cleans up. */
class Tenure {
  lastHeard: number;
  readonly done: Promise<void>;
  readonly leader: TableLeader;
  private readonly files: TableFiles;
  private finish: () => void = () => undefined;
  private listener: Listener | null = null;
  private cancelTick: (() => void) | null = null;
  private nextBeat = 0;
  private ended = false;

  /** Under the mutex. `null` when the table has moved. */
  static async begin(deps: OfficeDeps, folder: TableFolder): Promise<Tenure | null> {
    const { fs, quick, locksDir } = deps;
    if ((await findFolder(fs, locksDir))?.path !== folder.path) return null;
    const files = createTableFiles(fs, quick, folder.path);
    const stored = await readTable(fs, folder.path);
    for (const name of stored.broken) files.discard(name);
    const numbers = await NumberRange.open(files);
    const tenure = new Tenure(deps, folder, files, numbers, stored);
    try {
      await tenure.leader.clear();
      await tenure.open();
    } catch (error) {
      tenure.end();
      throw error;
    }
    return tenure;
  }

  private constructor(
    private readonly deps: OfficeDeps,
    private readonly folder: TableFolder,
    files: TableFiles,
    private readonly numbers: NumberRange,
    stored: Awaited<ReturnType<typeof readTable>>,
  ) {
    const { clock } = deps;
    this.files = files;
    this.lastHeard = clock.now();
    this.done = new Promise<void>((resolve) => {
      this.finish = resolve;
    }).then(() => this.cleanUp());
    const takeover = createTakeover({ ...deps, files });
    const onLost = (): void => {
      this.end();
    };
    this.leader = new TableLeader({ clock, files, takeover, numbers, onLost }, stored);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.leader.stop();
    this.cancelTick?.();
    this.listener?.close();
    this.finish();
  }

  private async open(): Promise<void> {
    const { channel, clock, quick, locksDir, processes } = this.deps;
    await this.sweepOldEpochs();
    quick.remove(join(this.folder.path, YIELD_FILE));
    this.listener = await channel.listen(locksDir, (line) => this.serve(line));
    const { address } = this.listener;
    const written: LeaderCard = {
      protocol: PROTOCOL,
      address,
      owner: processes.self(),
      since: clock.now(),
    };
    quick.create(cardPath(this.folder), `${JSON.stringify(written, null, 2)}\n`);
    this.arm();
  }

  /** A line of another process: says hello, then asks. */
  private serve(line: Line): LineEvents {
    let session: Session | null = null;
    const begin = (text: string): void => {
      const hello = parseHello(text);
      if (hello === null) {
        line.close();
        return;
      }
      const tell = (message: FromLeader): void => {
        line.send(JSON.stringify(message));
      };
      session = { owner: hello.owner, ttlMs: hello.ttlMs, tell };
    };
    return {
      onMessage: (text) => {
        this.lastHeard = this.deps.clock.now();
        if (session === null) {
          begin(text);
          return;
        }
        const message = parseToLeader(text);
        if (message === null) line.close();
        else this.leader.receive(session, message);
      },
      onClose: () => {
        if (session !== null) this.leader.leave(session);
      },
    };
  }

  private arm(): void {
    this.cancelTick = this.deps.clock.after(TICK_MS, () => {
      void this.tick().then(() => {
        if (!this.ended) this.arm();
      });
    });
  }

  private async tick(): Promise<void> {
    const { fs, clock, ttlMs } = this.deps;
    const now = clock.now();
    try {
      if (now >= this.nextBeat) {
        this.nextBeat = now + ttlMs / BEATS_PER_TTL;
        await fs.touch(cardPath(this.folder));
      }
      if (await fs.exists(join(this.folder.path, YIELD_FILE))) this.end();
    } catch {
      // A beat may fail (a busy disk); several in a row are what the time to live is for.
    }
    await this.leader.tick();
  }

  /** Sockets, cards and mutexes that leaders which are gone left behind. */
  private async sweepOldEpochs(): Promise<void> {
    const { fs, quick, locksDir } = this.deps;
    for (const name of await fs.list(locksDir)) {
      const epoch = /^table-(\d+)\.lock$/.exec(name)?.[1];
      const isOld = epoch !== undefined && Number(epoch) < this.folder.epoch;
      if (isOld || /^leader-.+\.sock$/.test(name)) await fs.removeTree(join(locksDir, name));
    }
    for (const name of await this.files.names()) {
      const isLeft = /^leader-\d+\.json$/.test(name) || isIdleName(name);
      if (isLeft) quick.remove(join(this.folder.path, name));
    }
  }

  private async cleanUp(): Promise<void> {
    const { fs } = this.deps;
    try {
      await this.files.assertHere();
      await fs.removeFile(cardPath(this.folder));
      await this.numbers.close();
    } catch {
      // Taken over, or a full disk: the next leader finds its way without.
    }
  }
}

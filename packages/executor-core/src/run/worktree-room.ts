import { dirname, join, resolve } from 'node:path';
import { checkoutSize, type CheckoutSize } from '../isolate/checkout-size';
import { LARGE_REPOSITORY } from '../isolate/worktree-way';
import type { Plan, Settings } from '../model/task';
import { UserError } from '../model/user-error';
import type { Disk } from '../ports/disk';
import type { FileSystem } from '../ports/file-system';

/** What the disk of the worktrees can take, in whole checkouts. */
export interface WorktreeRoom {
  /** Folder whose disk was asked. */
  readonly folder: string;
  readonly each: CheckoutSize;
  /** Free bytes and inodes; `null` when nobody knows. */
  readonly bytes: number | null;
  readonly inodes: number | null;
  /** How many whole checkouts fit; `Infinity` when nobody knows. */
  readonly trees: number;
}

/** Whole checkouts that a plan needs at the same time. */
export interface WorktreeNeed {
  /** One for each agent that gets a full worktree. */
  readonly full: number;
  /** For checks, and the one that overlays show. */
  readonly others: number;
}

interface Place {
  readonly root: string;
  readonly gitDir: string;
}

/** Looks at the index of the main checkout and at the disk of the worktrees' folder, which need not exist. */
export async function worktreeRoom(
  { fs, disk }: { readonly fs: Pick<FileSystem, 'readFrom'>; readonly disk: Disk },
  { root, gitDir }: Place,
  { worktreeBase }: Pick<Settings, 'worktreeBase'>,
): Promise<WorktreeRoom> {
  const index = await fs.readFrom(join(gitDir, 'index'), 0);
  // What cannot be measured is counted all the same (gitformat-index(5)), so that `auto` knows its way.
  const files = index.length < 12 ? 0 : index.readUInt32BE(8);
  const each = checkoutSize(index) ?? { bytes: 0, files, inodes: 0 };
  let folder = resolve(root, worktreeBase);
  while (disk.freeSpace(folder) === null && dirname(folder) !== folder) folder = dirname(folder);
  const [bytes, inodes] = [disk.freeSpace(folder), disk.freeFiles(folder)];
  const trees = Math.min(howMany(bytes, each.bytes), howMany(inodes, each.inodes));
  return { folder, each, bytes, inodes, trees };
}

/** `true` when every agent may have a full worktree, beside those for checks. */
export function fullOnesFit({ trees }: WorktreeRoom, plan: Plan): boolean {
  return agentsAtOnce(plan) + checkTrees(plan.settings) <= trees;
}

export function agentsAtOnce({ settings, tasks }: Plan): number {
  return Math.min(settings.maxAgents, tasks.filter(({ profile }) => profile !== null).length);
}

/** At least one where something is checked; more are made when there is something for them. */
export function checkTrees({ verify }: Pick<Settings, 'verify'>): number {
  return verify.length > 0 ? 1 : 0;
}

/** Throws `UserError` with the numbers when the disk cannot take the whole checkouts that a plan needs. */
export function refuseWithoutRoom(room: WorktreeRoom, { full, others }: WorktreeNeed): void {
  const needed = full + others;
  if (needed <= room.trees) return;
  const { each, folder } = room;
  const need = amounts(needed * each.bytes, needed * each.inodes);
  const fewer = room.trees - others;
  const agents = full > 1 && fewer >= 1 ? `, run with --agents ${Math.min(fewer, full)}` : '';
  throw new UserError(
    'environment',
    `The plan needs ${needed} whole checkouts at once, about ${need} (${each.files} files each), but the disk of ${folder} has ${amounts(room.bytes, room.inodes)} free.`,
    `Make room there${agents}, or set worktrees: ${each.files > LARGE_REPOSITORY ? 'overlay' : 'sparse'}. Nothing was changed.`,
  );
}

function howMany(free: number | null, each: number): number {
  return free === null || each === 0 ? Infinity : Math.floor(free / each);
}

function amounts(bytes: number | null, inodes: number | null): string {
  const parts = [
    ...(bytes === null ? [] : [sizeText(bytes)]),
    ...(inodes === null ? [] : [`${inodes} inodes`]),
  ];
  return parts.join(' and ');
}

function sizeText(bytes: number): string {
  const megabytes = bytes / 1e6;
  return megabytes >= 1000 ? `${(megabytes / 1000).toFixed(1)} GB` : `${megabytes.toFixed(1)} MB`;
}

import * as fs from 'node:fs';
import type { Disk } from '../ports/disk';

/** `f_type` of statfs(2) on Linux, see its manual page. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
]);
/** Anybody can serve these: the mount table tells who does. */
const FUSE = 0x65735546;
const PLAN_9 = 0x01021997;
/** File systems over FUSE that reach another machine, as they call themselves. */
const NETWORK_FUSE: ReadonlySet<string> = new Set([
  'sshfs',
  'rclone',
  's3fs',
  'gcsfuse',
  'glusterfs',
  'curlftpfs',
  'davfs2',
  'goofys',
  'smbnetfs',
  'nfs',
]);

/** The real disks. What cannot be asked is not known. */
export function nodeDisk(): Disk {
  return {
    freeSpace(folder) {
      const found = statfs(folder);
      return found === null ? null : found.bavail * found.bsize;
    },
    freeFiles(folder) {
      const found = statfs(folder);
      // A file system that makes inodes as it needs them tells of none.
      return found === null || found.files === 0 ? null : found.ffree;
    },
    networkName(folder) {
      const found = statfs(folder);
      if (found === null || process.platform !== 'linux') return null;
      return networkNameOf(found.type, () => mountOf(folder));
    },
  };
}

/** A line of `/proc/self/mountinfo`, as far as it matters here. */
export interface MountEntry {
  readonly folder: string;
  readonly type: string;
  readonly options: string;
}

/** `type`: as statfs gives it; `mount` is asked only where the type does not tell. */
export function networkNameOf(type: number, mount: () => MountEntry | null): string | null {
  // Node gives a signed number where the kernel's is one.
  const known = NETWORK_TYPES.get(type >>> 0);
  if (known !== undefined) return known;
  if (type >>> 0 === FUSE) {
    const name = mount()?.type.replace(/^fuse\./, '') ?? '';
    return NETWORK_FUSE.has(name) ? name : null;
  }
  // A virtual machine's shared folder is 9p too: only over TCP is it another machine's.
  if (type === PLAN_9) return /(^|,)trans=tcp(,|$)/.test(mount()?.options ?? '') ? '9p' : null;
  return null;
}

/** The mount that `folder` (links resolved) is on, from the text of `/proc/self/mountinfo`; see proc(5). */
export function findMount(mountinfo: string, folder: string): MountEntry | null {
  let best: MountEntry | null = null;
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    const place = left?.split(' ')[4];
    const [type, , options] = right?.split(' ') ?? [];
    if (place === undefined || type === undefined) continue;
    const found = { folder: unescapeMountPath(place), type, options: options ?? '' };
    const inside = found.folder === '/' || `${folder}/`.startsWith(`${found.folder}/`);
    // Of mounts on one place the last one is seen.
    if (inside && found.folder.length >= (best?.folder.length ?? 0)) best = found;
  }
  return best;
}

/** A path as the mount table has it: spaces and their like are written in octal. */
export function unescapeMountPath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function mountOf(folder: string): MountEntry | null {
  try {
    return findMount(fs.readFileSync('/proc/self/mountinfo', 'utf8'), fs.realpathSync(folder));
  } catch {
    return null;
  }
}

function statfs(folder: string): fs.StatsFs | null {
  try {
    return fs.statfsSync(folder);
  } catch {
    return null;
  }
}

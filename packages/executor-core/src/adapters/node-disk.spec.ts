import { tmpdir } from 'node:os';
import { findMount, networkNameOf, nodeDisk } from './node-disk';

const MOUNTS = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /home/me/far\\040away rw,nosuid - fuse.sshfs me@box:/srv rw,user_id=1000
41 22 0:36 / /home/me/crypt rw - fuse.gocryptfs /enc rw
42 22 0:37 / /mnt/host rw - 9p host rw,trans=virtio,version=9p2000.L
43 22 0:38 / /mnt/far rw - 9p 10.0.0.1 rw,trans=tcp,port=564
44 22 0:39 / /mnt/far rw - 9p 10.0.0.2 rw,trans=tcp,port=565
broken line`;
const FUSE = 0x65735546;
const PLAN_9 = 0x01021997;

describe('the disk a folder is on', () => {
  it('has free space and is local where the tests run', () => {
    const disk = nodeDisk();
    expect(disk.freeSpace(tmpdir())).toBeGreaterThan(0);
    expect(disk.networkName(tmpdir())).toBeNull();
    // `null` where inodes are made as they are needed.
    expect(disk.freeFiles(tmpdir()) ?? 1).toBeGreaterThan(0);
  });

  it('is not known when the folder is missing', () => {
    expect(nodeDisk().freeSpace('/no/such/folder')).toBeNull();
    expect(nodeDisk().freeFiles('/no/such/folder')).toBeNull();
    expect(nodeDisk().networkName('/no/such/folder')).toBeNull();
  });

  it.each([
    [0x6969, 'NFS'],
    [0xff534d42, 'CIFS'],
    [0xff534d42 | 0, 'CIFS'],
    [0xfe534d42 | 0, 'SMB2'],
    [0xef53, null],
    [0x01021994, null],
  ])('of type %p is told by its type: %p', (type, name) => {
    expect(networkNameOf(type, () => null)).toBe(name);
  });

  it.each([
    ['/home/me/far away/repo', FUSE, 'sshfs'],
    ['/home/me/crypt', FUSE, null],
    ['/elsewhere', FUSE, null],
    ['/mnt/host/repo', PLAN_9, null],
    ['/mnt/far/repo', PLAN_9, '9p'],
  ])('at %p is told by its mount where the type does not tell', (folder, type, name) => {
    expect(networkNameOf(type, () => findMount(MOUNTS, folder))).toBe(name);
  });

  it('is that of the deepest mount, and of the last one on a place', () => {
    expect(findMount(MOUNTS, '/home/me/cryptic')?.folder).toBe('/');
    expect(findMount(MOUNTS, '/mnt/far')?.options).toContain('port=565');
    expect(findMount('', '/')).toBeNull();
  });
});

import { execFileSync } from 'node:child_process';

/** Whether an overlay can be mounted here: a test of one is skipped elsewhere. */
export function canMountOverlay(): boolean {
  const trial =
    'set -e; d=$(mktemp -d); trap "rm -rf $d" EXIT; mkdir $d/l $d/u $d/w $d/m; ' +
    'mount -t overlay overlay -o redirect_dir=on,lowerdir=$d/l,upperdir=$d/u,workdir=$d/w $d/m; umount $d/m';
  try {
    execFileSync('sh', ['-c', trial], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

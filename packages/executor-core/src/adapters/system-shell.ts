import { ShellLauncher } from './shell-launcher';

/** Where the programs of the system are, for who has no PATH. */
const USUAL_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

let known: ShellLauncher | null = null;

/** The shell from which this process starts small programs of the system, such as mkfifo and mount. */
export function systemShell(): ShellLauncher {
  return (known ??= new ShellLauncher({ PATH: process.env['PATH'] ?? USUAL_PATH, LC_ALL: 'C' }));
}

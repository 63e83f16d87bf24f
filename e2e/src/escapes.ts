/** Ways in which what an agent starts may try to outlive it. `S` stays for good, told by `P`. */
export interface Escape {
  readonly name: string;
  /** Shell text; ends without waiting for what it starts. */
  readonly script: string;
  /** So many processes stay. */
  readonly count: number;
  /** Program that it needs beside the usual ones. */
  readonly needs?: string;
}

const BARE = 'env -i PATH="$PATH"';
const CLOSED = '<&- >&- 2>&-';

const PYTHON = `import os, sys
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.chdir("/"); os.umask(0)
os.closerange(0, 256)
for fd in range(3): os.open("/dev/null", os.O_RDWR)
os.execve("/bin/sh", ["sh", sys.argv[1], sys.argv[2]], {"PATH": os.environ["PATH"]})`;

const PERL = `use POSIX; exit 0 if fork; POSIX::setsid(); exit 0 if fork; chdir "/";
my $path = $ENV{PATH}; %ENV = (PATH => $path);
POSIX::close($_) for 0..255; open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null";
$0 = "[kworker]"; exec "sh", @ARGV;`;

const NODE = `const { spawn } = require("child_process"); const { PATH } = process.env;
spawn("sh", process.argv.slice(1), { detached: true, stdio: "ignore", cwd: "/", env: { PATH } }).unref();`;

export const ESCAPES: readonly Escape[] = [
  { name: 'children-of-children', script: '(sh $S $P & (sh $S $P & sh $S $P &) &) &', count: 3 },
  { name: 'background', script: 'sh $S $P &', count: 1 },
  { name: 'nohup', script: 'nohup sh $S $P >/dev/null 2>&1 &', count: 1 },
  { name: 'disown', script: `bash -c 'sh $S $P & disown -a; exit 0'`, count: 1, needs: 'bash' },
  { name: 'own-session', script: 'setsid sh $S $P &', count: 1 },
  { name: 'shell-that-exits', script: `sh -c 'sh -c "sh $S $P & exit 0" & exit 0'`, count: 1 },
  { name: 'double-fork', script: `setsid sh -c 'setsid sh $S $P & exit 0'`, count: 1 },
  { name: 'elsewhere', script: '(cd /; setsid -f sh $S $P)', count: 1 },
  { name: 'closed-outputs', script: `setsid -f sh $S $P ${CLOSED}`, count: 1 },
  { name: 'empty-environment', script: `${BARE} setsid -f sh $S $P`, count: 1 },
  {
    name: 'empty-environment-closed',
    script: `${BARE} setsid -f sh $S $P ${CLOSED}`,
    count: 1,
  },
  {
    name: 'everything-at-once',
    script: `(cd /; ${BARE} setsid sh -c 'setsid sh $0 $1 & exit 0' $S $P ${CLOSED})`,
    count: 1,
  },
  {
    name: 'other-name',
    script: `(cd /; ${BARE} setsid -f bash -c 'exec -a "[kworker/0:1]" sh $0 $1' $S $P ${CLOSED})`,
    count: 1,
    needs: 'bash',
  },
  { name: 'python-daemon', script: `python3 -c '${PYTHON}' $S $P`, count: 1, needs: 'python3' },
  { name: 'perl-daemon', script: `perl -e '${PERL}' $S $P`, count: 1, needs: 'perl' },
  { name: 'node-daemon', script: `node -e '${NODE}' $S $P`, count: 1 },
  {
    name: 'deaf',
    script: `(trap "" INT TERM HUP QUIT PIPE; sh $S $P & setsid sh $S $P &)`,
    count: 2,
  },
  {
    name: 'deaf-daemon',
    script: `(trap "" INT TERM HUP; cd /; ${BARE} setsid sh -c 'sh $0 $1 & exit 0' $S $P ${CLOSED})`,
    count: 1,
  },
  { name: 'stopped', script: 'sh $S $P STOP & setsid sh $S $P STOP &', count: 2 },
  {
    name: 'stopped-daemon',
    script: `(cd /; ${BARE} setsid sh -c 'sh $0 $1 STOP & exit 0' $S $P ${CLOSED})`,
    count: 1,
  },
  { name: 'many-levels', script: 'sh $L 12 &', count: 12 },
  { name: 'born-of-the-signal', script: 'sh $T & setsid sh $T &', count: 2 },
  { name: 'again-and-again', script: 'setsid sh $A 15 &', count: 1 },
  {
    name: 'own-group',
    script: `perl -e 'setpgrp(0, 0); exec "sh", @ARGV' $S $P &`,
    count: 1,
    needs: 'perl',
  },
  {
    name: 'own-terminal',
    script: `(cd /; ${BARE} setsid -f script -qec "sh $S $P" /dev/null ${CLOSED})`,
    count: 1,
    needs: 'script',
  },
];

/** The programs that the scripts name; `number` is a number of seconds that tells this test's sleepers. */
export function escapeTools(number: string): Readonly<Record<string, string>> {
  return {
    // Stays; with a second word, stopped.
    stay: `echo $$ > "$1.$$"; [ -z "$2" ] || kill -STOP $$; exec sleep ${number}\n`,
    // As many levels as it is told, each a session of its own, the even ones with an empty environment.
    levels: `echo $$ > "$P.$$"
[ "$1" -gt 1 ] || exec sleep ${number}
if [ $(($1 % 2)) = 0 ]; then setsid -f env -i PATH="$PATH" P="$P" sh "$0" $(($1 - 1)); else setsid -f sh "$0" $(($1 - 1)); fi
exec sleep ${number}
`,
    // Leaves a child behind when it is asked to end.
    heir: `trap 'setsid -f sh "$S" "$P" </dev/null >/dev/null 2>&1; exit 0' TERM INT
echo $$ > "$P.$$"; while :; do sleep ${number} & wait; done
`,
    // Never the same process for long.
    again: `[ "$1" = 15 ] && echo $$ > "$P.$$"
[ "$1" -gt 0 ] || exec sleep ${number}
setsid -f sh "$0" $(($1 - 1)); sleep 0.05
`,
  };
}

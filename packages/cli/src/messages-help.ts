/** Below the help of the program. The codes are those of `ExitCode`. */
export const EXIT_CODES_HELP = `
Exit codes:
  0    everything landed
  1    some task failed or is blocked
  2    wrong usage or an invalid plan; nothing was started
  3    stopped early, or waiting for a person
  4    another run holds this workspace
  130  ended after Ctrl-C     143  ended after SIGTERM
`;

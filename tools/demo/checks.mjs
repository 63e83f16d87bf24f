/** A list of claims that were proved or refuted; the demo fails when one was refuted. */
export function createChecks() {
  const refuted = [];
  return {
    refuted,
    /** Says whether `claim` holds; `detail` tells what was found instead. */
    claim(claim, holds, detail = '') {
      console.log(
        `  ${holds ? '\u2713' : '\u2717'} ${claim}${!holds && detail !== '' ? `: ${detail}` : ''}`,
      );
      if (!holds) refuted.push(claim);
    },
  };
}

/** What a strategy makes of its tasks; the two lists keep the order of the tasks. */
export interface StrategyOutcome<T, R> {
  readonly successful: readonly { readonly task: T; readonly value: R }[];
  readonly failed: readonly { readonly task: T; readonly reason: unknown }[];
}

type Dispatch<T, R> = (task: T) => Promise<R>;

/** Runs all tasks at once and goes on whatever happens. */
export async function continueOnFailure<T, R>(
  tasks: readonly T[],
  dispatch: Dispatch<T, R>,
): Promise<StrategyOutcome<T, R>> {
  const settled = await Promise.allSettled(tasks.map(async (task) => dispatch(task)));
  const successful: { task: T; value: R }[] = [];
  const failed: { task: T; reason: unknown }[] = [];
  settled.forEach((result, at) => {
    const task = tasks[at] as T;
    if (result.status === 'fulfilled') successful.push({ task, value: result.value });
    else failed.push({ task, reason: result.reason });
  });
  return { successful, failed };
}

/** Runs all tasks at once; rejects with the first failure. */
export function failFast<T, R>(
  tasks: readonly T[],
  dispatch: Dispatch<T, R>,
): Promise<readonly R[]> {
  return Promise.all(tasks.map(async (task) => dispatch(task)));
}

/** Runs all tasks, then those that failed again, at most `maxRetries` times. */
export async function retryFailed<T, R>(
  tasks: readonly T[],
  dispatch: Dispatch<T, R>,
  maxRetries = 2,
): Promise<StrategyOutcome<T, R>> {
  let outcome = await continueOnFailure(tasks, dispatch);
  for (let retry = 0; retry < maxRetries && outcome.failed.length > 0; retry += 1) {
    const again = await continueOnFailure(
      outcome.failed.map(({ task }) => task),
      dispatch,
    );
    outcome = { successful: [...outcome.successful, ...again.successful], failed: again.failed };
  }
  return outcome;
}

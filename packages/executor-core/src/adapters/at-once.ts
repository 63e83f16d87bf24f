/** Done now, without a thread: the answer is there sooner than the thread would begin. What is thrown rejects. */
export function atOnce<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

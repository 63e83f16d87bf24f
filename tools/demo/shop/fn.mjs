/** One exported function: the lines of its JSDoc and its code. */
export function fn(doc, code) {
  return { doc, code };
}

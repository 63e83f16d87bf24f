/**
 * How long the demo's agent waits, in ms: four to eight seconds, the same for the same library. It stands
 * for the time a model would think. DEMO_THINK_MS sets the longest.
 */
export function thinkingTime(folder) {
  const most = Number(process.env.DEMO_THINK_MS ?? 8000);
  const spread = [...folder].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 1000, 7);
  return (most / 2) * (1 + spread / 1000);
}

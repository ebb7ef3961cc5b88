/** Runs the task for every item, at most this many at once; rejects with the first failure when those begun have ended. */
export async function eachBounded<Item>(
  items: readonly Item[],
  atOnce: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  async function work(): Promise<void> {
    for (const item of rest) await task(item);
  }
  const workers = await Promise.allSettled(Array.from({ length: atOnce }, work));
  for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
}

/** Runs the task for every item, in their order, at most this many at once. The task must not reject. */
export async function eachAtMost<Item>(
  items: Iterable<Item>,
  atOnce: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  async function work(): Promise<void> {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await task(next.value);
  }
  await Promise.all(Array.from({ length: atOnce }, work));
}

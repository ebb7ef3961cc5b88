/** What owners wait for: each owner's items in their order, and the owners one after the other. */
export interface OwnerQueue<Item> {
  add(ownerId: string, item: Item): void;
  /** Removes the first item that may go, of the owner who has waited longest since the last one; `null` if there is none. */
  take(mayGo: (item: Item, ownerId: string) => boolean): Item | null;
  isEmpty(): boolean;
}

/** A queue that owners share evenly, however much each adds. An owner with nothing in it takes no memory. */
export function createOwnerQueue<Item>(): OwnerQueue<Item> {
  /** In the order in which the owners are next. */
  const waiting = new Map<string, readonly Item[]>();
  return {
    add(ownerId, item) {
      waiting.set(ownerId, [...(waiting.get(ownerId) ?? []), item]);
    },
    take(mayGo) {
      for (const [ownerId, [next, ...rest]] of waiting) {
        if (next === undefined || !mayGo(next, ownerId)) continue;
        waiting.delete(ownerId);
        // At the end of the queue.
        if (rest.length > 0) waiting.set(ownerId, rest);
        return next;
      }
      return null;
    },
    isEmpty: () => waiting.size === 0,
  };
}

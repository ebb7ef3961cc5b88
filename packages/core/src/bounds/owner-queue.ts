/** Something that waits. */
export interface WaitingItem {
  /** Whether nothing needs it any more, for example since its client has gone. */
  readonly isOver: () => boolean;
  /** Lets it go on. */
  readonly resolve: () => void;
}

/** A queue of what owners wait for. Each owner's items keep their order, and the owners take turns. */
export interface OwnerQueue<Item extends WaitingItem> {
  add(ownerId: string, item: Item): void;
  /**
   * Removes and returns the next item that may go, or `null`. Owners take turns. Only the first item of each owner is considered.
   * Items before it that are over are removed and resolve.
   */
  take(mayGo: (item: Item, ownerId: string) => boolean): Item | null;
  /** How many wait. */
  size(): number;
}

/**
 * A queue that owners share evenly, however much each adds. An owner with nothing in it takes no memory.
 *
 * | an owner's first item | `take` finds it                       | the owner's place in the queue |
 * | --------------------- | ------------------------------------- | ------------------------------ |
 * | is over               | is removed and resolves; the next one is the first | stays             |
 * | may not go            | stays                                 | stays                          |
 * | may go                | is taken                              | the last, or none if it is empty |
 */
export function createOwnerQueue<Item extends WaitingItem>(): OwnerQueue<Item> {
  /** In the order in which the owners are next. No list is empty. */
  const waiting = new Map<string, Item[]>();
  let size = 0;

  /** Removes the first item, and the owner if it was the last. */
  function remove(ownerId: string, items: Item[]): void {
    items.shift();
    size -= 1;
    if (items.length === 0) waiting.delete(ownerId);
  }

  return {
    add(ownerId, item) {
      const items = waiting.get(ownerId);
      if (items === undefined) waiting.set(ownerId, [item]);
      else items.push(item);
      size += 1;
    },
    take(mayGo) {
      for (const [ownerId, items] of waiting) {
        for (let [first] = items; first?.isOver(); [first] = items) {
          remove(ownerId, items);
          first.resolve();
        }
        const [next] = items;
        if (next === undefined || !mayGo(next, ownerId)) continue;
        waiting.delete(ownerId);
        remove(ownerId, items);
        // At the end of the queue.
        if (items.length > 0) waiting.set(ownerId, items);
        return next;
      }
      return null;
    },
    size: () => size,
  };
}

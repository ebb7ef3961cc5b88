/** Something that waits. */
export interface WaitingItem {
  /** Whether nothing needs it any more, for example since its client has gone. */
  readonly isOver: () => boolean;
  /** Lets it go on. */
  readonly resolve: () => void;
}

/** What owners wait for. Each owner's items keep their order, and the owners take turns. */
export interface OwnerQueue<Item extends WaitingItem> {
  add(ownerId: string, item: Item): void;
  /**
   * Removes and returns the next item that may go, `null` if there is none. Owners take turns. Only the first item of each is asked
   * about. Items before it that are over are removed and go on.
   */
  take(mayGo: (item: Item, ownerId: string) => boolean): Item | null;
  /** How many wait. */
  size(): number;
}

/** A queue that owners share evenly, however much each adds. An owner with nothing in it takes no memory. */
export function createOwnerQueue<Item extends WaitingItem>(): OwnerQueue<Item> {
  /** In the order in which the owners are next. */
  const waiting = new Map<string, readonly Item[]>();
  let size = 0;

  function set(ownerId: string, items: readonly Item[]): void {
    size += items.length - (waiting.get(ownerId)?.length ?? 0);
    if (items.length === 0) waiting.delete(ownerId);
    else waiting.set(ownerId, items);
  }

  return {
    add(ownerId, item) {
      set(ownerId, [...(waiting.get(ownerId) ?? []), item]);
    },
    take(mayGo) {
      for (const [ownerId, all] of waiting) {
        const items = withoutOver(all);
        set(ownerId, items);
        const [next, ...rest] = items;
        if (next === undefined || !mayGo(next, ownerId)) continue;
        set(ownerId, []);
        // At the end of the queue.
        set(ownerId, rest);
        return next;
      }
      return null;
    },
    size: () => size,
  };
}

/** The items from the first one on that is not over. Those before it go on at once. */
function withoutOver<Item extends WaitingItem>(items: readonly Item[]): readonly Item[] {
  const first = items.findIndex(({ isOver }) => !isOver());
  const over = first === -1 ? items : items.slice(0, first);
  for (const { resolve } of over) resolve();
  return items.slice(over.length);
}

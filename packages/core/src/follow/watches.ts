import { storeClosed } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";
import { ListReader, type ListReaderOptions } from "./list-reader.ts";
import { OwnerLooks } from "./owner-looks.ts";
import { OwnerWatch, type WatchSource } from "./owner-watch.ts";
import { Rounds } from "./rounds.ts";
import type { ListLimits, WatchScope } from "./watched-list.ts";

/** The watched lists of one process. The readers of one owner and topic share a watch. */
export interface Watches {
  /**
   * Opens a reader. It ends with `leave`.
   * @throws RunEventsError `store_unavailable` after `close`
   */
  open(scope: WatchScope, options: ListReaderOptions): ListReader;
  /** Ends all readers with `store_unavailable`, and every timer and subscription. Idempotent. Afterwards `open` throws. */
  close(): void;
}

/** Makes the watched lists of a process. */
export function createWatches(source: WatchSource, clock: Clock, limits?: ListLimits): Watches {
  const watches = new Map<string, OwnerWatch>();
  const rounds = new Rounds(watches, clock);
  const host = { source, clock, looks: new OwnerLooks(), ...(limits && { limits }) };
  let isClosed = false;

  function watchOf(scope: WatchScope): OwnerWatch {
    const name = JSON.stringify([scope.ownerId, scope.topic]);
    const existing = watches.get(name);
    if (existing !== undefined) return existing;
    const watch = new OwnerWatch(scope, host, () => {
      if (watches.get(name) === watch) watches.delete(name);
      if (watches.size === 0) rounds.stop();
    });
    watches.set(name, watch);
    rounds.start();
    return watch;
  }

  return {
    open(scope, options) {
      if (isClosed) throw storeClosed();
      return new ListReader(watchOf(scope), source, options);
    },
    close() {
      isClosed = true;
      for (const watch of watches.values()) watch.close();
    },
  };
}

import { storeClosed } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";
import { ListReader, type ListReaderOptions } from "./list-reader.ts";
import { OwnerLooks } from "./owner-looks.ts";
import { OwnerWatch, type WatchHost, type WatchSource } from "./owner-watch.ts";
import { Rounds } from "./rounds.ts";
import { LIST_LIMITS, type ListLimits, type WatchScope } from "./watched-list.ts";

/** The watched lists of one process. The readers of one owner and topic share a watch. */
export class Watches {
  readonly #watches = new Map<string, OwnerWatch>();
  readonly #rounds: Rounds;
  readonly #host: WatchHost;
  #isClosed = false;

  constructor(source: WatchSource, clock: Clock, limits: ListLimits = LIST_LIMITS) {
    this.#rounds = new Rounds(this.#watches, clock);
    this.#host = { source, clock, looks: new OwnerLooks(), limits };
  }

  /**
   * Opens a reader. It ends with `leave`.
   * @throws RunEventsError `store_unavailable` after `close`
   */
  open(scope: WatchScope, options: ListReaderOptions): ListReader {
    if (this.#isClosed) throw storeClosed();
    return new ListReader(this.#watchOf(scope), this.#host.source, options);
  }

  /** Ends all readers with `store_unavailable`, and every timer and subscription. Idempotent. Afterwards `open` throws. */
  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.values()) watch.close();
  }

  #watchOf(scope: WatchScope): OwnerWatch {
    const name = JSON.stringify([scope.ownerId, scope.topic]);
    const existing = this.#watches.get(name);
    if (existing !== undefined) return existing;
    const watch = new OwnerWatch(scope, this.#host, () => {
      if (this.#watches.get(name) === watch) this.#watches.delete(name);
      if (this.#watches.size === 0) this.#rounds.stop();
    });
    this.#watches.set(name, watch);
    this.#rounds.start();
    return watch;
  }
}

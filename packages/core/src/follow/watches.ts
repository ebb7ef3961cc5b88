import type { Clock } from "../time/clock.ts";
import { Followed } from "./followed.ts";
import { ListReader, type ListReaderOptions } from "./list-reader.ts";
import { OwnerWatch, type WatchHost, type WatchSource } from "./owner-watch.ts";
import { LIST_LIMITS, type ListLimits, type WatchScope } from "./watched-list.ts";

/** The watched lists of one process. The readers of one owner and topic share a watch. */
export class Watches extends Followed<OwnerWatch> {
  readonly #host: WatchHost;

  constructor(source: WatchSource, clock: Clock, limits: ListLimits = LIST_LIMITS) {
    super(clock);
    this.#host = { source, clock, limits, looks: new Map() };
  }

  /**
   * Opens a reader. It ends with `leave`.
   * @throws RunEventsError `store_unavailable` after `close`
   */
  open(scope: WatchScope, options: ListReaderOptions): ListReader {
    const watch = this.share(
      JSON.stringify([scope.ownerId, scope.topic]),
      (onOver) => new OwnerWatch(scope, this.#host, onOver),
    );
    return new ListReader(watch, this.#host.source, options);
  }
}

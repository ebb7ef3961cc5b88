import type { ReadQuery, ReadResult } from "../rules/page.ts";
import type { RunName } from "../rules/head.ts";
import type { Subscription } from "../store/store.ts";

/** The part of a store that a follower needs. */
export interface FollowerSource {
  read(query: ReadQuery): Promise<ReadResult | null>;
  subscribe(name: RunName, onNotification: () => void): Subscription;
  /** Called when a recheck finds events that no notification had announced. Missing if nothing listens. */
  readonly onMissed?: (() => void) | undefined;
}

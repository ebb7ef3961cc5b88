import type { RunEventStore } from "@tm/run-events-core/store";

/** A store, and what its opener closes once the store is closed. */
export interface OpenedStore {
  readonly store: RunEventStore;
  /** The size of the log beside a database file in bytes; `null` or left out where there is none. */
  walBytes?(): number | null;
  release(): Promise<void>;
}

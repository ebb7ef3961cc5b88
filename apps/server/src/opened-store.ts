import type { RunEventStore } from "@tm/run-events-core/store";

/** A store, with what to release once the store is closed. */
export interface OpenedStore {
  readonly store: RunEventStore;
  /** The size of a SQLite database's `-wal` file in bytes; `null` or missing without one. */
  walBytes?(): number | null;
  release(): Promise<void>;
}

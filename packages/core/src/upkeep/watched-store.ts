import type { RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { type ClockProbe, createProbe } from "./probe.ts";
import { StallWatch } from "./stall-watch.ts";

/** The run that a check asks for. It need not exist. */
const ANY_RUN = { ownerId: "readyz", runId: "readyz" };

/** Whether a store takes reads, and whether it takes writes: a full disk refuses only writes. */
export interface Stalls {
  readonly reads: StallWatch;
  readonly writes: StallWatch;
}

export type WatchedStore = Omit<RunEventStore, "observe" | "close">;

/**
 * Watches the calls of a store.
 * @param probe checks the writes. It writes to no run, so a locked run does not matter
 */
export function watchStore(
  store: RunEventStore,
  clock: Clock,
  probe: ClockProbe,
): { readonly store: WatchedStore; readonly stalls: Stalls } {
  const anyRun = { ...ANY_RUN, since: 0, limit: 0, maxBytes: 1 };
  const readProbe = createProbe(
    { probe: async () => Number(await store.read([anyRun]).then(() => 0)) },
    clock,
  );
  const reads = new StallWatch({ clock, check: readProbe, refusal: "answer" });
  const writes = new StallWatch({ clock, check: probe, refusal: "stall" });
  const watched: WatchedStore = {
    // Read each time, since a store's capabilities may change, such as its durability.
    get capabilities() {
      return store.capabilities;
    },
    subscribe: (name, onNotification) => store.subscribe(name, onNotification),
    read: (queries) => reads.track(() => store.read(queries)),
    list: (query) => reads.track(() => store.list(query)),
    append: (plains) => writes.track(() => store.append(plains)),
    change: (changes) => writes.track(() => store.change(changes)),
    probe: () => store.probe(),
  };
  return { store: watched, stalls: { reads, writes } };
}

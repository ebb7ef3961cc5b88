import type { RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { type ClockProbe, createProbe } from "./probe.ts";
import { StallWatch } from "./stall-watch.ts";

/** The id of the run that a check asks for. It need not exist. */
const ANY_RUN = "readyz";

/** Whether a store takes reads, and whether it takes writes: a full disk refuses only writes. */
export interface Stalls {
  readonly reads: StallWatch;
  readonly writes: StallWatch;
}

/** The calls of a store that callers wait for. `purge` is not among them, since it may take long. */
export type WatchedStore = Omit<
  RunEventStore,
  "listExpired" | "listIdle" | "purge" | "probe" | "observe" | "close"
>;

/**
 * Watches the calls of a store.
 * @param probe checks the writes. It writes to no run, so a locked run does not matter
 */
export function watchStore(
  store: RunEventStore,
  clock: Clock,
  probe: ClockProbe,
): { readonly store: WatchedStore; readonly stalls: Stalls } {
  const readProbe = createProbe(
    { probe: async () => Number(await store.getRun(ANY_RUN).then(() => 0)) },
    clock,
  );
  const reads = new StallWatch({ clock, check: readProbe, refusal: "answer" });
  const writes = new StallWatch({ clock, check: probe, refusal: "stall" });
  const watched: WatchedStore = {
    // Read each time, since a store's capabilities may change, such as its durability.
    get capabilities() {
      return store.capabilities;
    },
    subscribe: (subject, onNotification) => store.subscribe(subject, onNotification),
    read: (queries) => reads.track(() => store.read(queries)),
    getRun: (runId) => reads.track(() => store.getRun(runId)),
    listRuns: (query) => reads.track(() => store.listRuns(query)),
    append: (requests) => writes.track(() => store.append(requests)),
    createRun: (request) => writes.track(() => store.createRun(request)),
    deleteRun: (runId, ownerId) => writes.track(() => store.deleteRun(runId, ownerId)),
    claim: (request) => writes.track(() => store.claim(request)),
    renew: (request) => writes.track(() => store.renew(request)),
    release: (request) => writes.track(() => store.release(request)),
  };
  return { store: watched, stalls: { reads, writes } };
}

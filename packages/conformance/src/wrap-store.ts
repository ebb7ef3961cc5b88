import type { RunEventStore } from "@tm/run-events-core/store";

/** The same store with some of its calls replaced, whether it is a plain object or a class. */
export function wrapStore(store: RunEventStore, replaced: Partial<RunEventStore>): RunEventStore {
  return {
    capabilities: store.capabilities,
    createRun: (request) => store.createRun(request),
    append: (requests) => store.append(requests),
    read: (queries) => store.read(queries),
    getRun: (runId) => store.getRun(runId),
    listRuns: (query) => store.listRuns(query),
    deleteRun: (runId, ownerId) => store.deleteRun(runId, ownerId),
    claim: (request) => store.claim(request),
    renew: (request) => store.renew(request),
    release: (request) => store.release(request),
    listExpired: (query) => store.listExpired(query),
    listIdle: (query) => store.listIdle(query),
    purge: (request) => store.purge(request),
    probe: () => store.probe(),
    subscribe: (runId, onNotification) => store.subscribe(runId, onNotification),
    close: () => store.close(),
    ...replaced,
  };
}

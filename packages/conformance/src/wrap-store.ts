import type { RunEventStore } from "@tm/run-events-core/store";
import type { KitStore } from "./kit-store.ts";

/** The same store with some of its calls replaced. */
export function wrapStore(store: KitStore, replaced: Partial<KitStore>): KitStore {
  return { ...store, capabilities: store.capabilities, ...replaced };
}

/** A store beneath core's rules with some of its calls replaced, whether it is a plain object or a class. */
export function wrapInner(store: RunEventStore, replaced: Partial<RunEventStore>): RunEventStore {
  return {
    capabilities: store.capabilities,
    append: (plains) => store.append(plains),
    change: (changes) => store.change(changes),
    read: (queries) => store.read(queries),
    list: (query) => store.list(query),
    probe: () => store.probe(),
    subscribe: (subject, onNotification) => store.subscribe(subject, onNotification),
    close: () => store.close(),
    ...replaced,
  };
}

import { RunEventsError, storeClosed } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";

/**
 * The fate of one `append` call: it answers; it lands whole, half or not at all and its answer is lost; it is refused,
 * for now or for good, and nothing lands; the store has been closed.
 */
export type Fate = "answered" | "landed" | "half landed" | "lost" | "refused" | "fatal" | "closed";

export const AMBIGUOUS: readonly Fate[] = ["landed", "half landed", "lost"];

/** A store that loses acknowledgements: one fate a call, then only answers. */
export function createLossyStore(
  fates: readonly Fate[],
  store: RunEventStore = createMemoryStore(),
): RunEventStore {
  const coming = fates.values();
  return {
    ...store,
    capabilities: { ...store.capabilities, losesAcknowledgements: true },
    async append(requests) {
      const fate = coming.next().value ?? "answered";
      if (fate === "answered") return store.append(requests);
      if (fate === "landed") await store.append(requests);
      if (fate === "half landed") await store.append(requests.slice(0, requests.length / 2));
      if (fate === "closed") throw storeClosed();
      throw new RunEventsError("store_unavailable", `The connection was cut: ${fate}.`, {
        ambiguous: AMBIGUOUS.includes(fate),
        retryable: fate !== "fatal",
      });
    },
  };
}

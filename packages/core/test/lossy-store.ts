import { RunEventsError, storeClosed } from "../src/rules/errors.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";

/**
 * The fate of one `append` or `change` call: it answers; it lands whole, half or not at all and its answer is lost; it is refused,
 * for now or for good, and nothing lands; the store has been closed.
 */
export type Fate = "answered" | "landed" | "half landed" | "lost" | "refused" | "fatal" | "closed";

export const AMBIGUOUS: readonly Fate[] = ["landed", "half landed", "lost"];

/** A store that loses answers: one fate a call, then only answers. */
export function createLossyStore(
  fates: readonly Fate[],
  store: RunEventStore = createMemoryStore(),
): RunEventStore {
  const coming = fates.values();

  async function meet<Item, Answer>(
    items: readonly Item[],
    call: (items: readonly Item[]) => Promise<Answer>,
  ): Promise<Answer> {
    const fate = coming.next().value ?? "answered";
    if (fate === "answered") return call(items);
    if (fate === "landed") await call(items);
    if (fate === "half landed") await call(items.slice(0, items.length / 2));
    if (fate === "closed") throw storeClosed();
    throw new RunEventsError("store_unavailable", `The connection was cut: ${fate}.`, {
      ambiguous: AMBIGUOUS.includes(fate),
      retryable: fate !== "fatal",
    });
  }

  return {
    ...store,
    capabilities: { ...store.capabilities, losesAnswers: true },
    append: (plains) => meet(plains, (some) => store.append(some)),
    change: (changes) => meet(changes, (some) => store.change(some)),
  };
}

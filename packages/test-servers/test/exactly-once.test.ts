import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import type { RunEventStore } from "@tm/run-events-core/store";
import { expect, it } from "vitest";
import { startExactlyOnce } from "../src/index.ts";

/** A store that says that it was away each this many appends, after it has taken them or before. */
function createFlakyStore(takes: boolean, ambiguous: boolean): RunEventStore {
  const store = createMemoryStore();
  let calls = 0;
  return {
    ...store,
    capabilities: { ...store.capabilities, losesAnswers: true },
    async append(requests) {
      const isLost = ++calls % 5 === 0;
      const outcomes = isLost && !takes ? [] : await store.append(requests);
      if (isLost) throw new RunEventsError("store_unavailable", "It is away.", { ambiguous });
      return outcomes;
    },
  };
}

async function playOn(store: RunEventStore): Promise<{ readonly acknowledged: number }> {
  const play = await startExactlyOnce({ stores: [store, store] });
  await play.advance(200);
  return play.finish();
}

it("S1-S10, S21: a store that loses answers and shows that they are in doubt keeps the contract", async () => {
  for (const takes of [true, false]) {
    const { acknowledged } = await playOn(createFlakyStore(takes, true));
    expect(acknowledged).toBeGreaterThan(200);
  }
  await playOn(createFlakyStore(false, false));
});

it("S7: a store that lands an append that it denies is found", async () => {
  await expect(playOn(createFlakyStore(true, false))).rejects.toThrow(
    /Seed \d+:\n.*but it was refused: store_unavailable/s,
  );
});

import { createKvStore } from "@tm/run-events-core/store";
import { createMvccEngine, MvccData } from "../../../core/test/kv/mvcc-engine.ts";
import { testBridgedStore } from "./bridged-cases.ts";

/** To the microsecond, since cases compare the times of stores that open one after the other. */
const date = (): number => performance.timeOrigin + performance.now();

for (const [name, options] of [
  ["a key-value engine with a clock", { now: () => Date.now() }],
  ["a key-value engine without a clock, which watches keys", { watches: true }],
] as const) {
  testBridgedStore(
    name,
    {
      prepare: async () => new MvccData(),
      open: async (data: MvccData) => createKvStore(createMvccEngine(data, options), { date }),
      destroy: async () => {},
      leftovers: async (data: MvccData) =>
        // What a store keeps once: its clock, and for each owner the ordinals that were used.
        data.scan("!", "~").filter(({ key }) => !/^(floor|stamp|probe)/.test(key)).length,
    },
    "ci",
  );
}

import { setImmediate } from "node:timers/promises";
import { createKvStore } from "@tm/run-events-core/store";
import { createMvccEngine, MvccData } from "../../../core/test/kv/mvcc-engine.ts";
import { itKeepsContract } from "./it-keeps-contract.ts";

/** To the microsecond, since cases compare the times of stores that open one after the other. */
const date = (): number => performance.timeOrigin + performance.now();

for (const [name, options] of [
  // Each step takes a turn, as with a database, so that others may come between two of them.
  ["a store on keys, with a clock", { now: () => Date.now(), before: () => setImmediate() }],
  ["a store on keys that are watched, without a clock", { watches: true }],
] as const) {
  itKeepsContract({
    name,
    profile: "ci",
    prepare: () => new MvccData(),
    open: (data) => createKvStore(createMvccEngine(data, options), { date }),
    leftovers: (data) => ({
      // Not counted are keys that it keeps once: its format, the clock, and for each owner which ordinals were used.
      keys: data.scan("!", "~").filter(({ key }) => !/^(floor|format|probe|stamp)/.test(key))
        .length,
    }),
  });
}

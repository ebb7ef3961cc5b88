import { type ConformanceOptions, runEventStoreConformance } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { describe, expect, it } from "vitest";
import { openRedisStore } from "../../src/index.ts";
import { type ClientOptions, connect } from "../opened.ts";
import { lead, openReplicated, type Replicated } from "./lagging-replica.ts";

/** Doors to stores whose first object reaches its server by a name. For a while the name leads to a replica that lags. */
function doorsOf(options: ClientOptions): Omit<ConformanceOptions, "name"> {
  const servers = new WeakMap<RunEventStore, Replicated>();
  return {
    async open() {
      const replicated = await openReplicated();
      const store = await openRedisStore(connect(replicated.name, options));
      servers.set(store, replicated);
      return store;
    },
    async reopen(store) {
      const replicated = replicatedOf(store);
      const other = await openRedisStore(connect(replicated.master));
      servers.set(other, replicated);
      return other;
    },
    async refuseWrites(store) {
      const { master, replica, name, catchUp, lag, followOn } = replicatedOf(store);
      await catchUp();
      lag();
      lead(name, replica);
      return () => {
        lead(name, master);
        followOn();
      };
    },
  };

  function replicatedOf(store: RunEventStore): Replicated {
    const found = servers.get(store);
    if (found === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return found;
  }
}

describe.each<[string, ClientOptions]>([
  ["keeps its connection", {}],
  ["leaves a replica", { reconnectOnError: ({ message }) => message.startsWith("READONLY") }],
])(
  "the Redis store behind a name that leads to a replica, on a client that %s",
  (name, options) => {
    const { refuseWrites, ...without } = { name, ...doorsOf(options) };
    const others = new Set(runEventStoreConformance(without).map((one) => one.name));
    const all = runEventStoreConformance({ ...without, ...(refuseWrites ? { refuseWrites } : {}) });
    const cases = all.filter((one) => !others.has(one.name));

    it("has the kit's cases of refused writes", () => {
      expect(new Set(cases.map(({ clause }) => clause))).toEqual(new Set(["S7", "S10", "S31"]));
    });

    for (const { name: title, run, timeoutMs } of cases) it(title, run, timeoutMs);
  },
);

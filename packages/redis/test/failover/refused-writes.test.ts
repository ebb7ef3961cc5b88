import { runEventStoreConformance } from "@tm/run-events-conformance";
import { describe, expect, it } from "vitest";
import { casesOnLeaks, LEAK_FOUND } from "../../../conformance/test/leaking-doors.ts";
import { openRedisStore } from "../../src/index.ts";
import { type ClientOptions, connect } from "../opened.ts";
import { lead, openReplicated, type Replicated } from "./lagging-replica.ts";

/** Servers, and the number of store objects that were opened on them. */
interface ReplicatedPlace {
  readonly servers: Replicated;
  opened: number;
}

/** Doors to stores whose first object reaches its server by a host name. For a while the name leads to a replica that lags. */
function doorsOf(options: ClientOptions) {
  return {
    prepare: async () => ({ servers: await openReplicated(), opened: 0 }),
    async open(place: ReplicatedPlace) {
      place.opened += 1;
      const { name, master } = place.servers;
      return openRedisStore(place.opened === 1 ? connect(name, options) : connect(master));
    },
    async refuseWrites({
      servers: { master, replica, name, catchUp, lag, followOn },
    }: ReplicatedPlace) {
      await catchUp();
      lag();
      lead(name, replica);
      return () => {
        lead(name, master);
        followOn();
      };
    },
  };
}

describe.each<[string, ClientOptions]>([
  ["keeps its connection", {}],
  ["leaves a replica", { reconnectOnError: ({ message }) => message.startsWith("READONLY") }],
])("the Redis store over a name that leads to a replica, on a client that %s", (name, options) => {
  const { refuseWrites, ...without } = { name, ...doorsOf(options) };
  const others = new Set(runEventStoreConformance(without).map((one) => one.name));
  const all = runEventStoreConformance({ ...without, refuseWrites });
  const cases = all.filter((one) => !others.has(one.name));

  it("the list has the kit's cases of refused writes", () => {
    expect(new Set(cases.map(({ clause }) => clause))).toEqual(new Set(["S7", "S20", "S31"]));
  });

  for (const { name: title, run, timeoutMs } of cases) it(title, run, timeoutMs);

  it.each(casesOnLeaks({ ...without, refuseWrites }))(
    "the kit finds a store that breaks $name",
    async ({ run }) => {
      await expect(run()).rejects.toThrow(LEAK_FOUND);
    },
  );
});

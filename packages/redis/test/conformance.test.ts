import { type Cost, runEventStoreConformance } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { afterAll, beforeAll, describe, inject, it } from "vitest";
import { openRedisStore } from "../src/index.ts";
import { countCommands, countLeftovers } from "./beneath.ts";
import { type Client, type Servers, SETUPS } from "./clients.ts";

interface Opened {
  readonly prefix: string;
  readonly client: Client;
  readonly cost: () => Cost;
}

/** How the kit gets at stores: each fresh one under a prefix of its own, each store object with a client of its own. */
function doorsOf(servers: () => Servers) {
  const opened = new Map<RunEventStore, Opened>();

  async function openPrefix(prefix: string): Promise<RunEventStore> {
    const client = servers().connect();
    const cost = countCommands(client);
    const store = await openRedisStore(client, { prefix });
    opened.set(store, { prefix, client, cost });
    return store;
  }

  function openedAs(store: RunEventStore): Opened {
    const found = opened.get(store);
    if (found === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return found;
  }

  return {
    open: () => openPrefix(crypto.randomUUID()),
    reopen: (store: RunEventStore) => openPrefix(openedAs(store).prefix),
    destroy(store: RunEventStore) {
      openedAs(store).client.disconnect();
      opened.delete(store);
    },
    leftovers(store: RunEventStore) {
      const { client, prefix } = openedAs(store);
      return countLeftovers(client, prefix);
    },
    cost: (store: RunEventStore) => openedAs(store).cost(),
    // As an eviction does, which removes single keys.
    async loseReceipts(store: RunEventStore, runId: string) {
      const { client, prefix } = openedAs(store);
      const lost = await client.del(`${prefix}:{run:${runId}}:receipts`);
      if (lost !== 1) throw new TypeError("Expected a run with receipts.");
    },
  };
}

describe.each(SETUPS)("the Redis store on $name", ({ name, isVariant, start }) => {
  let servers: Servers;

  beforeAll(async () => {
    servers = await start();
  });

  afterAll(() => servers.close());

  for (const { name: title, run, timeoutMs } of runEventStoreConformance({
    name,
    profile: inject(isVariant ? "variantProfile" : "mainProfile"),
    soakMs: inject("soakMs"),
    ...doorsOf(() => servers),
  })) {
    it(title, run, timeoutMs);
  }
});

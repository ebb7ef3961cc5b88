import type { Cost, ProfileName, StoreDoors } from "@tm/run-events-conformance";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { itKeeps } from "../../conformance/test/drivers/it-keeps.ts";
import { casesOnLeaks, LEAK_FOUND } from "../../conformance/test/leaking-doors.ts";
import { openRedisStore } from "../src/index.ts";
import { countCommands, countLeftovers } from "./beneath.ts";
import type { Client, Servers, Setup } from "./clients.ts";
import { runKeys } from "./opened.ts";

/** A prefix, and the clients of the store objects under it. */
interface PrefixPlace {
  readonly prefix: string;
  readonly clients: Client[];
  readonly counters: (() => Cost)[];
}

/** The kit's access to stores: each store object has its own client. */
function doorsOf(servers: () => Servers): StoreDoors<PrefixPlace> {
  return {
    prepare: () => ({ prefix: crypto.randomUUID(), clients: [], counters: [] }),
    async open({ prefix, clients, counters }) {
      const client = servers().connect();
      clients.push(client);
      counters.push(countCommands(client));
      return openRedisStore(client, { prefix });
    },
    destroy({ clients }) {
      for (const client of clients) client.disconnect();
    },
    async leftovers({ prefix, clients: [client] }) {
      return client === undefined ? {} : countLeftovers(client, prefix);
    },
    cost: ({ counters }) => ({
      statements: counters.reduce((sum, count) => sum + count().statements, 0),
    }),
    // As an eviction does, which removes single keys.
    async loseReceipts({ prefix, clients: [client] }, runId) {
      const lost = await client?.del(runKeys(runId, prefix).receipts);
      if (lost !== 1) throw new TypeError("Expected a run with receipts.");
    },
  };
}

/** Runs the kit on a server and a client. */
export function conformOn({ name, driver, start }: Setup, profile: ProfileName): void {
  describe(`the Redis store on ${name}`, () => {
    let servers: Servers;

    beforeAll(async () => {
      servers = await start();
    });

    afterAll(() => servers.close());

    const options = { name, profile, soakMs: inject("soakMs"), ...doorsOf(() => servers) };
    itKeeps({ store: "Redis", driver: name, packages: [driver], options });

    it.each(casesOnLeaks(options))("the kit finds a store that breaks $name", async ({ run }) => {
      await expect(run()).rejects.toThrow(LEAK_FOUND);
    });
  });
}

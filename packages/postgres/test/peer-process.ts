// A process that a test starts: it obeys commands that come as messages, with one answer each. See peers.ts.
import pg from "pg";
import { type KitStore, kitStore } from "../../conformance/src/kit-store.ts";
import { createPostgresStore } from "../src/index.ts";
import type { PeerCommands, PeerLanding, Place } from "./peers.ts";
import { appendOf } from "@tm/run-events-test-servers/requests";

interface Database {
  readonly pool: pg.Pool;
  readonly stores: Map<string, KitStore>;
}

const databases = new Map<string, Database>();

function databaseOf(url: string): Database {
  let database = databases.get(url);
  if (database === undefined) {
    database = { pool: new pg.Pool({ connectionString: url, max: 3 }), stores: new Map() };
    databases.set(url, database);
  }
  return database;
}

function storeOf({ url, schema }: Place): KitStore {
  const { pool, stores } = databaseOf(url);
  const store = stores.get(schema) ?? kitStore(createPostgresStore(pool, { schema }));
  stores.set(schema, store);
  return store;
}

const commands: PeerCommands = {
  async migrate(place) {
    await createPostgresStore(databaseOf(place.url).pool, { schema: place.schema }).migrate();
    return null;
  },
  async appendGroups({ runIds, groups, label, ...place }) {
    const landings: PeerLanding[] = [];
    for (let group = 0; group < groups; group++) {
      const value = `${label}-${group}`;
      const outcomes = await storeOf(place).append(runIds.map((runId) => appendOf(runId, value)));
      outcomes.forEach((outcome, index) => {
        if (outcome.outcome !== "appended") throw new Error(`Not appended: ${outcome.outcome}.`);
        landings.push({ runId: runIds[index] ?? "", value, sequence: outcome.firstSequence });
      });
    }
    return landings;
  },
  async work({ runId, ...place }) {
    const store = storeOf(place);
    await store.subscribe(runId, () => {}).ready;
    await store.append([appendOf(runId)]);
    return null;
  },
  async leave({ url }) {
    const { pool, stores } = databaseOf(url);
    await Promise.all([...stores.values()].map((store) => store.close()));
    await pool.end();
    databases.delete(url);
    return null;
  },
  async disconnect() {
    setImmediate(() => process.disconnect());
    return null;
  },
};

interface Call {
  readonly id: number;
  readonly command: keyof PeerCommands;
  readonly input: never;
}

process.on("message", ({ id, command, input }: Call) => {
  commands[command](input).then(
    (answer) => process.send?.({ id, answer }),
    (error: Error) => {
      const { cause } = error;
      const reason = cause instanceof Error ? ` ${cause.message}` : "";
      process.send?.({ id, failure: error.message + reason });
    },
  );
});
process.send?.({ id: 0 });

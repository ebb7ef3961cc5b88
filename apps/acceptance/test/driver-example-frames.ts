import type { ExampleFrame } from "./example-frame.ts";

/** The frames of the examples for the stores' other drivers. */
export const DRIVER_FRAMES: Readonly<Record<string, ExampleFrame>> = {
  "packages/postgres/src/postgres-js/from-postgres-js.ts: fromPostgresJs": {
    imports: `
      import postgres from "postgres";
      import { createPostgresStore } from "@tm/run-events-postgres";
      import { fromPostgresJs } from "@tm/run-events-postgres/postgres-js";`,
    before: "const connectionString = await postgresUrl();",
    after: `
      const { shared } = store.capabilities;
      await store.close();
      await sql.end();
      return shared;`,
    result: true,
  },
  "packages/postgres/src/postgres-js/from-postgres-js.ts: clientOf": {
    imports: `
      import postgres from "postgres";
      import { createRunEvents } from "@tm/run-events-core";
      import { createPostgresStore } from "@tm/run-events-postgres";
      import { clientOf, fromPostgresJs } from "@tm/run-events-postgres/postgres-js";`,
    before: `
      const sql = postgres(await postgresUrl());
      const store = createPostgresStore(fromPostgresJs(sql));
      await store.migrate();
      const runs = createRunEvents({ store });
      const ownerId = "ada";
      const { runId } = await runs.create({ ownerId });
      const events = [{ eventType: "TOKEN" }];`,
    after: `
      const { lastSequence } = await runs.get(runId, { ownerId });
      await runs.close();
      await sql.end();
      return lastSequence;`,
    result: 1,
  },
  "packages/redis/src/node-redis/from-node-redis.ts: fromNodeRedis": {
    imports: `
      import { createClient as create } from "redis";
      import { openRedisStore } from "@tm/run-events-redis";
      import { fromNodeRedis } from "@tm/run-events-redis/node-redis";`,
    before: `
      const address = await redisUrl();
      const createClient = (_options: { readonly url: string }) => create({ url: address });`,
    after: `
      const { shared } = store.capabilities;
      await store.close();
      await client.close();
      return shared;`,
    result: true,
  },
};

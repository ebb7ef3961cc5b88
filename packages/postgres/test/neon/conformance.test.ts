import type { Pool } from "@neondatabase/serverless";
import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe } from "vitest";
import { itKeeps } from "../../../conformance/test/drivers/it-keeps.ts";
import { createDoors, leadTo } from "../doors.ts";
import { itFindsLeaks } from "../leaks.ts";
import { startWebSocketProxy, type WebSocketProxy } from "./neon-pool.ts";

describe("the Postgres store on Neon's driver", () => {
  let server: PostgresServer;
  let proxy: WebSocketProxy;
  let pool: Pool;
  let readOnly: Pool;
  beforeAll(async () => {
    server = await startPostgres();
    proxy = await startWebSocketProxy(server.url);
    pool = proxy.openPool();
    // As in every session after the database's default was set to read-only.
    readOnly = proxy.openPool({ options: "-c default_transaction_read_only=on" });
  });
  afterAll(async () => {
    await Promise.all([pool.end(), readOnly.end()]);
    await proxy.close();
    await server.close();
  });

  const doors = createDoors(
    () => pool,
    leadTo(() => readOnly),
  );
  const options = {
    name: "Neon's driver",
    profile: "quick" as const,
    ...doors,
  };
  itKeeps({
    store: "Postgres",
    driver: "Neon's Pool",
    packages: ["@neondatabase/serverless"],
    options,
  });
  itFindsLeaks(options);
});

import type { Pool } from "@neondatabase/serverless";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, describe, it } from "vitest";
import { beginOn, createDoors, leadTo } from "../doors.ts";
import { itFindsLeaks } from "../leaks.ts";
import { startWebSocketProxy, type WebSocketProxy } from "./neon-pool.ts";

describe("the Postgres store on Neon's driver", () => {
  let server: PostgresServer;
  let proxy: WebSocketProxy;
  let pool: Pool;
  let readOnly: Pool;
  let own: Pool;
  beforeAll(async () => {
    server = await startPostgres();
    proxy = await startWebSocketProxy(server.url);
    pool = proxy.openPool();
    own = proxy.openPool();
    // As in every session after the database's default was set to read-only.
    readOnly = proxy.openPool({ options: "-c default_transaction_read_only=on" });
  });
  afterAll(async () => {
    await Promise.all([pool.end(), readOnly.end(), own.end()]);
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
    begin: beginOn(() => own),
  };
  for (const { name, run, timeoutMs } of runEventStoreConformance(options)) {
    it(name, run, timeoutMs);
  }
  itFindsLeaks(options);
});

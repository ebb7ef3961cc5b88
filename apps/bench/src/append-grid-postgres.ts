import { startPostgres } from "@tm/run-events-test-servers";
import type { GridStore, GridWriter } from "./append-grid-writer.ts";
import { POOL_SIZE } from "./postgres-log.ts";
import { withServer } from "./with-server.ts";

/** Postgres: both have a database of their own on one server, and a pool. */
export const postgresGrid: GridStore = {
  name: "Postgres",
  bare: `one statement an append, unprepared, over a pool of ${POOL_SIZE}`,
  withWriters: (use) =>
    withServer(startPostgres(), async (postgres, start) => {
      const ours = start<GridWriter>(
        new URL("append-grid-postgres-ours.ts", import.meta.url),
        await postgres.createDatabase(),
      );
      const bare = start<GridWriter>(
        new URL("append-grid-postgres-bare.ts", import.meta.url),
        await postgres.createDatabase(),
      );
      return use({ ours, bare });
    }),
};

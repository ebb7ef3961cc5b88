import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import type { StoreDoors } from "@tm/run-events-conformance";
import pg from "pg";
import { createEmmettStore } from "./emmett-store.ts";
import { createFactsTable } from "./run-facts.ts";

/** Streams of a type of their own, and the pools of the store objects on them. */
interface EmmettPlace {
  readonly streamType: string;
  readonly pools: pg.Pool[];
}

/** How the kit gets at Emmett on a database. */
export function createEmmettDoors(
  connectionString: string,
  triesAgain: boolean,
): Required<Pick<StoreDoors<EmmettPlace>, "prepare" | "open" | "destroy">> {
  let migrated: Promise<void> | null = null;
  return {
    prepare: () => ({ streamType: `run_${crypto.randomUUID().replaceAll("-", "")}`, pools: [] }),
    async open({ streamType, pools }) {
      const pool = new pg.Pool({ connectionString });
      pools.push(pool);
      const emmett = getPostgreSQLEventStore(connectionString, {
        // Once is enough for a database, and takes longer than many a case.
        schema: { autoMigration: "None" },
        connectionOptions: { connectionString, pool },
      });
      const facts = createFactsTable(pool, streamType);
      const store = createEmmettStore(emmett, facts, streamType, triesAgain);
      migrated ??= store.migrate();
      await migrated;
      return store;
    },
    async destroy({ pools }) {
      for (const pool of pools) await pool.end();
    },
  };
}

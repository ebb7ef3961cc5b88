import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import type { StoreDoors } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import pg from "pg";
import { createEmmettStore } from "./emmett-store.ts";
import { createFactsTable } from "./run-facts.ts";

interface Opened {
  readonly pool: pg.Pool;
  readonly streamType: string;
}

/** How the kit gets at Emmett on a database: streams of a type of their own for each fresh store, a pool for each object. */
export function createEmmettDoors(
  connectionString: string,
  triesAgain: boolean,
): Required<Pick<StoreDoors, "open" | "reopen" | "destroy">> {
  const opened = new WeakMap<RunEventStore, Opened>();
  let migrated: Promise<void> | null = null;

  async function openOn(streamType: string): Promise<RunEventStore> {
    const pool = new pg.Pool({ connectionString });
    const emmett = getPostgreSQLEventStore(connectionString, {
      // Once is enough for a database, and takes longer than many a case.
      schema: { autoMigration: "None" },
      connectionOptions: { connectionString, pool },
    });
    const store = createEmmettStore(
      emmett,
      createFactsTable(pool, streamType),
      streamType,
      triesAgain,
    );
    migrated ??= store.migrate();
    await migrated;
    opened.set(store, { pool, streamType });
    return store;
  }

  function openedAs(store: RunEventStore): Opened {
    const found = opened.get(store);
    if (found === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return found;
  }

  return {
    open: () => openOn(`run_${crypto.randomUUID().replaceAll("-", "")}`),
    reopen: (store) => openOn(openedAs(store).streamType),
    destroy: (store) => openedAs(store).pool.end(),
  };
}

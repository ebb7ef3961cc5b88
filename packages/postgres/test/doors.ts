import type { RunEventStore } from "@tm/run-events-core";
import { createPostgresStore, type PostgresPool } from "../src/index.ts";

/** How the kit gets at stores: each fresh one in a schema of its own, which goes with the last store on it. */
export interface Doors {
  open(): Promise<RunEventStore>;
  reopen(store: RunEventStore): Promise<RunEventStore>;
  destroy(store: RunEventStore): Promise<void>;
}

/** Doors to the pool that is there by the time that one is opened. */
export function createDoors(pool: () => PostgresPool): Doors {
  const schemas = new Map<RunEventStore, string>();

  async function openSchema(schema: string): Promise<RunEventStore> {
    const store = createPostgresStore(pool(), { schema });
    await store.migrate();
    schemas.set(store, schema);
    return store;
  }

  function schemaOf(store: RunEventStore): string {
    const schema = schemas.get(store);
    if (schema === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return schema;
  }

  return {
    open: () => openSchema(`kit_${crypto.randomUUID().replaceAll("-", "")}`),
    reopen: (store) => openSchema(schemaOf(store)),
    async destroy(store) {
      const schema = schemaOf(store);
      schemas.delete(store);
      const inUse = [...schemas.values()].includes(schema);
      if (!inUse) await pool().query(`DROP SCHEMA ${schema} CASCADE`);
    },
  };
}

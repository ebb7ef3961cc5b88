import type { Counts, Restore, StoreDoors } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core";
import { createPostgresStore, type PostgresPool } from "../src/index.ts";
import { type CountedPool, countRows, countStatements } from "./beneath.ts";

/** How the kit gets at stores: each fresh one in a schema of its own, which goes with the last store on it. */
export type Doors = Required<
  Pick<StoreDoors, "open" | "reopen" | "destroy" | "leftovers" | "cost" | "refuseWrites">
>;

interface Opened {
  readonly schema: string;
  readonly counted: CountedPool;
  /** Undoes a refusal of writes. Idempotent. */
  restore: Restore;
}

/**
 * Doors to the pool that is there by the time that one is opened.
 * @param refuse makes the database refuse what comes through a store's pool
 */
export function createDoors(
  pool: () => PostgresPool,
  refuse: (counted: CountedPool) => Restore | Promise<Restore>,
): Doors {
  const opened = new Map<RunEventStore, Opened>();

  async function openSchema(schema: string): Promise<RunEventStore> {
    const counted = countStatements(pool());
    const store = createPostgresStore(counted.pool, { schema });
    await store.migrate();
    opened.set(store, { schema, counted, restore() {} });
    return store;
  }

  function openedAs(store: RunEventStore): Opened {
    const found = opened.get(store);
    if (found === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return found;
  }

  return {
    open: () => openSchema(`kit_${crypto.randomUUID().replaceAll("-", "")}`),
    reopen: (store) => openSchema(openedAs(store).schema),
    async destroy(store) {
      const { schema, restore } = openedAs(store);
      opened.delete(store);
      await restore();
      const inUse = [...opened.values()].some((other) => other.schema === schema);
      if (!inUse) await pool().query(`DROP SCHEMA ${schema} CASCADE`);
    },
    leftovers: (store): Promise<Counts> => countRows(pool(), openedAs(store).schema),
    cost: (store) => ({ statements: openedAs(store).counted.statements() }),
    async refuseWrites(store) {
      const found = openedAs(store);
      found.restore = await refuse(found.counted);
      return found.restore;
    },
  };
}

/** Has a store's pool lead to another one, whose database takes no writes. */
export function leadTo(refusing: () => PostgresPool): (counted: CountedPool) => Restore {
  return (counted) => {
    counted.lead(refusing());
    return () => counted.lead(null);
  };
}

import type { Counts, Restore, StoreDoors } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore, type PostgresPool } from "../src/index.ts";
import { type CountedPool, countRows, countStatements } from "./beneath.ts";

/** How the kit opens stores: each fresh one gets its own empty schema, which is given back after its last store. */
export type Doors = Required<
  Pick<StoreDoors, "open" | "reopen" | "destroy" | "leftovers" | "cost" | "refuseWrites">
>;

interface Opened extends FreeSchema {
  readonly counted: CountedPool;
  /** Undoes a refusal of writes. Idempotent. */
  restore: Restore;
}

/** More rows than this are dropped with their schema: where rows were deleted, later reads are slower. */
const MOST_DELETED = 1_000;
/** How many stores use a schema, one after the other. */
const MOST_USES = 20;

/** A schema that no store uses now, and how many have used it. */
interface FreeSchema {
  readonly schema: string;
  readonly uses: number;
}

/**
 * Doors to a pool that is made later, before the first door is opened.
 * @param refuse makes the database refuse what comes through a store's pool
 */
export function createDoors(
  pool: () => PostgresPool,
  refuse: (counted: CountedPool) => Restore | Promise<Restore>,
): Doors {
  const opened = new Map<RunEventStore, Opened>();
  const free: FreeSchema[] = [];

  async function openSchema({ schema, uses }: FreeSchema): Promise<RunEventStore> {
    const counted = countStatements(pool());
    const store = createPostgresStore(counted.pool, { schema });
    await store.migrate();
    opened.set(store, { schema, uses, counted, restore() {} });
    return store;
  }

  /** An emptied schema or a new one. Its name is new, so that no earlier channel or statement has it. */
  async function takeSchema(): Promise<FreeSchema> {
    const schema = `kit_${crypto.randomUUID().replaceAll("-", "")}`;
    const emptied = free.pop();
    if (emptied === undefined) return { schema, uses: 1 };
    await pool().query(`ALTER SCHEMA ${emptied.schema} RENAME TO ${schema}`);
    return { schema, uses: emptied.uses + 1 };
  }

  /** Making a schema takes longer than most cases: one with few rows is emptied for the next store instead. */
  async function leaveSchema({ schema, uses }: FreeSchema): Promise<void> {
    const { runs = 0, events = 0 } = await countRows(pool(), schema);
    if (uses === MOST_USES || runs + events > MOST_DELETED) {
      await pool().query(`DROP SCHEMA ${schema} CASCADE`);
      return;
    }
    await pool().query(`DELETE FROM ${schema}.events`);
    await pool().query(`DELETE FROM ${schema}.runs`);
    free.push({ schema, uses });
  }

  function openedAs(store: RunEventStore): Opened {
    const found = opened.get(store);
    if (found === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return found;
  }

  return {
    open: async () => openSchema(await takeSchema()),
    reopen: (store) => openSchema(openedAs(store)),
    async destroy(store) {
      const left = openedAs(store);
      opened.delete(store);
      await left.restore();
      const inUse = [...opened.values()].some(({ schema }) => schema === left.schema);
      if (!inUse) await leaveSchema(left);
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

/** Makes a store's pool lead to another pool, whose database takes no writes. */
export function leadTo(refusing: () => PostgresPool): (counted: CountedPool) => Restore {
  return (counted) => {
    counted.lead(refusing());
    return () => counted.lead(null);
  };
}

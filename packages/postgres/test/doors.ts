import type { Counts, Restore, StoreDoors } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createPostgresStore, type PostgresPool } from "../src/index.ts";
import { type CountedPool, countRows, countStatements } from "./beneath.ts";

/** A schema of a case. It is returned when the case is over. */
interface SchemaPlace extends FreeSchema {
  readonly opened: Map<RunEventStore, CountedPool>;
  /** Undo the refusals of writes. Idempotent. */
  readonly restores: Restore[];
}

/** The kit's access to stores: each fresh one gets its own empty schema. */
export type Doors = Required<
  Pick<
    StoreDoors<SchemaPlace>,
    "prepare" | "open" | "destroy" | "leftovers" | "cost" | "letHoursPass" | "refuseWrites"
  >
>;

/** More rows than this are dropped with their schema: where rows were deleted, later reads are slower. */
const MOST_DELETED = 1_000;
/** The number of stores that use a schema, one after the other. */
const MOST_USES = 20;

/** A schema that no store uses now, and how many stores have used it. */
interface FreeSchema {
  readonly schema: string;
  readonly uses: number;
}

/**
 * Doors to a pool that is created later, before the first door is opened.
 * @param refuse makes the database refuse the statements of a store's pool
 */
export function createDoors(
  pool: () => PostgresPool,
  refuse: (counted: CountedPool) => Restore | Promise<Restore>,
): Doors {
  const free: FreeSchema[] = [];

  /** An emptied schema or a new one. Its name is new, so that no earlier channel or statement has it. */
  async function takeSchema(): Promise<FreeSchema> {
    const schema = `kit_${crypto.randomUUID().replaceAll("-", "")}`;
    const emptied = free.pop();
    if (emptied === undefined) return { schema, uses: 1 };
    await pool().query(`ALTER SCHEMA ${emptied.schema} RENAME TO ${schema}`);
    return { schema, uses: emptied.uses + 1 };
  }

  /** To create a schema takes longer than most cases, so one with few rows is emptied for the next store. */
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

  return {
    prepare: async () => ({ ...(await takeSchema()), opened: new Map(), restores: [] }),
    async open({ schema, opened }) {
      const counted = countStatements(pool());
      const store = createPostgresStore(counted.pool, { schema });
      opened.set(store, counted);
      await store.migrate();
      return store;
    },
    async destroy({ restores, ...left }) {
      for (const restore of restores) await restore();
      await leaveSchema(left);
    },
    leftovers: ({ schema }): Promise<Counts> => countRows(pool(), schema),
    cost: ({ opened }) => ({
      statements: [...opened.values()].reduce((sum, { statements }) => sum + statements(), 0),
    }),
    async letHoursPass({ schema }, hours) {
      const ms = hours * 3_600_000;
      await pool().query(`UPDATE ${schema}.events SET created_at_ms = created_at_ms - ${ms}`);
      await pool().query(`UPDATE ${schema}.runs SET updated_at_ms = updated_at_ms - ${ms},
        due_ms = due_ms - ${ms}, lease_expires_at_ms = lease_expires_at_ms - ${ms},
        extra = jsonb_set(extra::jsonb, '{createdAtMs}', to_jsonb((extra::jsonb -> 'createdAtMs')::bigint - ${ms}))::text`);
    },
    async refuseWrites({ opened, restores }, store) {
      const counted = opened.get(store);
      if (counted === undefined) throw new TypeError("Expected a store of this schema.");
      const restore = await refuse(counted);
      restores.push(restore);
      return restore;
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

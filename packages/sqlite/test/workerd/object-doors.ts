import type { Counts, StoreDoors } from "@tm/run-events-conformance";
import { olderBy } from "../older-by.ts";
import { createSqliteStore, type SqliteObjectStorage } from "../../src/index.ts";

/** Tables of one store in the storage of an object. */
export interface ObjectPlace {
  readonly tablePrefix: string;
}

/** Counts the statements of all stores on a storage. */
export interface CountedStorage {
  readonly storage: SqliteObjectStorage;
  readonly statements: () => number;
}

/** Wraps a storage. */
export function countStatements(storage: SqliteObjectStorage): CountedStorage {
  let count = 0;
  return {
    storage: {
      sql: {
        exec(text, ...values) {
          count += 1;
          return storage.sql.exec(text, ...values);
        },
      },
      transactionSync: (work) => storage.transactionSync(work),
      sync: () => storage.sync(),
    },
    statements: () => count,
  };
}

/** The tables that an append, a creation or a probe writes to. */
const WRITTEN = ["runs", "events", "receipts", "probes"];
const WRITES = ["INSERT", "UPDATE", "DELETE"];

/**
 * The kit's access to stores in a Durable Object: each place has its own tables in the object's storage. A transaction of an object's own
 * cannot stay open past a turn, so there is no door `begin`.
 */
export function objectDoors({ storage, statements }: CountedStorage): StoreDoors<ObjectPlace> {
  const { sql } = storage;
  let places = 0;
  return {
    prepare: () => ({ tablePrefix: `kit_${(places += 1)}_` }),
    async open({ tablePrefix }) {
      const store = createSqliteStore(storage, { tablePrefix });
      await store.migrate();
      return store;
    },
    destroy({ tablePrefix }) {
      for (const name of [...WRITTEN.toReversed(), "schema"]) {
        sql.exec(`DROP TABLE IF EXISTS ${tablePrefix}${name}`);
      }
    },
    leftovers: ({ tablePrefix }) => countRows(sql, tablePrefix),
    cost: () => ({ statements: statements() }),
    letHoursPass: ({ tablePrefix }, hours) => {
      for (const statement of olderBy(hours, tablePrefix)) sql.exec(statement);
    },
    // The database itself refuses: it has no read-only mode that SQL can set.
    refuseWrites({ tablePrefix }) {
      const names = WRITTEN.flatMap((table) => WRITES.map((write) => [table, write] as const));
      for (const [table, write] of names) {
        sql.exec(`CREATE TRIGGER ${tablePrefix}${table}_${write} BEFORE ${write} ON ${tablePrefix}${table}
          BEGIN SELECT RAISE(ABORT, 'refused'); END`);
      }
      return () => {
        for (const [table, write] of names)
          sql.exec(`DROP TRIGGER ${tablePrefix}${table}_${write}`);
      };
    },
  };
}

/** The number of rows of runs that the tables have. */
function countRows(sql: SqliteObjectStorage["sql"], tablePrefix: string): Counts {
  return Object.fromEntries(
    ["runs", "events", "receipts"].map((table) => {
      const [row] = sql.exec(`SELECT count(*) AS count FROM ${tablePrefix}${table}`).toArray();
      return [table, (row as { readonly count: number }).count];
    }),
  );
}

import type { SyncRows } from "@tm/run-events-core/store";
import { prepareStatement } from "../handle.ts";
import type { SqliteDatabase } from "../driver.ts";
import { checkTables } from "../schema.ts";
import type { Tables } from "../tables.ts";

/**
 * Prepares a probe's writes.
 * @see clause S31 in `STORE.md`
 */
export function prepareProbe(db: SqliteDatabase, tables: Tables): Pick<SyncRows, "writeProbe"> {
  // Longer than a page, so that a database that cannot grow refuses it.
  const insert = prepareStatement(
    db,
    `INSERT INTO ${tables.probes} (filling) VALUES (zeroblob(8192))`,
  );
  const remove = prepareStatement(db, `DELETE FROM ${tables.probes}`);
  return {
    writeProbe() {
      checkTables(db, tables);
      insert.run();
      remove.run();
    },
  };
}

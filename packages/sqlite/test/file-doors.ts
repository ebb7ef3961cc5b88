import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Counts, StoreDoors } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { createSqliteStore, type SqliteDatabase } from "../src/index.ts";
import { olderBy } from "./older-by.ts";
import { recordStatements } from "./recorded-statements.ts";

/** A driver, which opens handles. */
export interface FileDriver {
  open(file: string): OpenHandle;
}

/** An open handle, which the kit closes. */
type OpenHandle = SqliteDatabase & { close(): void };

/** A file in its own folder, and the handles of the store objects on it. */
export interface FilePlace {
  readonly file: string;
  readonly handles: Map<RunEventStore, OpenHandle>;
  /** The number of statements that the stores have run. */
  readonly counters: (() => number)[];
}

/** How the kit opens stores in files. */
export function fileDoors(driver: FileDriver): StoreDoors<FilePlace> {
  return {
    async prepare() {
      const folder = await mkdtemp(join(tmpdir(), "run-events-kit-"));
      return { file: join(folder, "kit.db"), handles: new Map(), counters: [] };
    },
    async open({ file, handles, counters }) {
      const db = driver.open(file);
      const { ran } = recordStatements(db);
      counters.push(() => ran.length);
      const store = createSqliteStore(db);
      handles.set(store, db);
      await store.migrate();
      return store;
    },
    async destroy({ file, handles }) {
      for (const db of handles.values()) db.close();
      await rm(dirname(file), { recursive: true });
    },
    leftovers({ handles }) {
      const [db] = handles.values();
      return db === undefined ? {} : countRows(db);
    },
    cost: ({ counters }) => ({ statements: counters.reduce((sum, count) => sum + count(), 0) }),
    letHoursPass({ handles }, hours) {
      const [db] = handles.values();
      for (const statement of olderBy(hours)) db?.exec(statement);
    },
    // As on a disk that becomes read-only.
    refuseWrites({ handles }, store) {
      const db = handles.get(store);
      db?.exec("PRAGMA query_only = ON");
      return () => void db?.exec("PRAGMA query_only = OFF");
    },
  };
}

/** The number of rows that each table has. The rows of probes and migrations belong to no run. */
function countRows(db: OpenHandle): Counts {
  const tables = db.prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_runs' OR name GLOB '*_events' OR name GLOB '*_receipts'`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables.all() as readonly { readonly name: string }[]) {
    const row = db.prepare(`SELECT count(*) AS count FROM "${name}"`).get();
    counts[name] = Number((row as { readonly count: number }).count);
  }
  return counts;
}

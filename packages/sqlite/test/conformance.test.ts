import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runEventStoreConformance } from "@tm/run-events-conformance";
import type { RunEventStore } from "@tm/run-events-core/store";
import { describe, inject, it } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { countStatements } from "./counted-statements.ts";
import { type Driver, DRIVERS, type Handle } from "./drivers.ts";

interface Opened {
  readonly file: string;
  readonly db: Handle;
  /** How many statements the store has run on it. */
  readonly statements: () => number;
}

/** How the kit gets at stores in files: each fresh one in a folder of its own, which goes with its last handle. */
function doorsOf(driver: Driver) {
  const opened = new Map<RunEventStore, Opened>();

  async function openFile(file: string): Promise<RunEventStore> {
    const db = driver.open(file);
    const statements = countStatements(db);
    const store = createSqliteStore(db);
    await store.migrate();
    opened.set(store, { file, db, statements });
    return store;
  }

  function openedAs(store: RunEventStore): Opened {
    const found = opened.get(store);
    if (found === undefined) throw new TypeError("Expected a store that these doors have opened.");
    return found;
  }

  return {
    open: async () => openFile(join(await mkdtemp(join(tmpdir(), "run-events-kit-")), "kit.db")),
    reopen: (store: RunEventStore) => openFile(openedAs(store).file),
    async destroy(store: RunEventStore) {
      const { file, db } = openedAs(store);
      db.close();
      opened.delete(store);
      const inUse = [...opened.values()].some((other) => other.file === file);
      if (!inUse) await rm(dirname(file), { recursive: true });
    },
    leftovers(store: RunEventStore) {
      const { db } = openedAs(store);
      const counts: Record<string, number> = {};
      // What is written by a probe, and which migrations there were, is of no run.
      const tables = db.prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_runs' OR name GLOB '*_events' OR name GLOB '*_receipts'`,
      );
      for (const { name } of tables.all() as readonly { readonly name: string }[]) {
        const row = db.prepare(`SELECT count(*) AS count FROM "${name}"`).get();
        counts[name] = Number((row as { readonly count: number }).count);
      }
      return counts;
    },
    cost: (store: RunEventStore) => ({ statements: openedAs(store).statements() }),
    // As on a disk that may only be read from now on.
    refuseWrites(store: RunEventStore) {
      const { db } = openedAs(store);
      db.exec("PRAGMA query_only = ON");
      return () => void db.exec("PRAGMA query_only = OFF");
    },
  };
}

describe.each(DRIVERS)("the SQLite store on $name", (driver) => {
  for (const { name, run, timeoutMs } of runEventStoreConformance({
    name: driver.name,
    profile: inject(driver.name === "better-sqlite3" ? "mainProfile" : "variantProfile"),
    soakMs: inject("soakMs"),
    ...doorsOf(driver),
  })) {
    it(name, run, timeoutMs);
  }
});

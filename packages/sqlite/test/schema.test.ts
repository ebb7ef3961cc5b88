import { describe, expect, it } from "vitest";
import { createRuledStore } from "./ruled-store.ts";
import { isWalSafe } from "../src/sqlite-version.ts";
import { DRIVERS, type Handle } from "./drivers.ts";
import { startPeer } from "./peers.ts";
import {
  appendOf,
  createOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

/** Makes what tables of another format have of which a program could take them for its own. */
function makeOtherTables(db: Handle, format: number): void {
  db.exec(`
    CREATE TABLE run_events_schema (migration INTEGER PRIMARY KEY, breaking INTEGER NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE run_events_runs (run_key INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, owner_id TEXT NOT NULL) STRICT;
    INSERT INTO run_events_runs VALUES (1, 'a', 'ada');`);
  const insert = db.prepare("INSERT INTO run_events_schema VALUES (?, ?, 1000)");
  for (const step of oneTo(format)) insert.run(step, 1);
}

/** The tables under the default prefix, with their rows. */
function contentOf(db: Handle): unknown {
  const tables = db.prepare("SELECT name, sql FROM sqlite_schema WHERE name LIKE 'run_events_%'");
  const rows = ["runs", "schema"].map((name) =>
    db.prepare(`SELECT * FROM run_events_${name}`).all(),
  );
  return [tables.all(), ...rows];
}

describe.each(DRIVERS)("the schema on $name", (driver) => {
  it("S19: a file without tables is refused, and the error names the call to make", async () => {
    const store = createRuledStore(openHandle(driver, temporaryFile()));
    const missing = {
      code: "store_unavailable",
      retryable: false,
      message: expect.stringContaining("migrate()"),
    };
    await expect(store.verify()).rejects.toMatchObject(missing);
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(missing);
    await expect(store.subscribe("a", () => {}).ready).rejects.toMatchObject(missing);
    await store.migrate();
    await store.verify();
    await store.close();
  });

  it("S19: a second `migrate` writes nothing", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const other = openHandle(driver, file);
    const before = other.prepare("PRAGMA data_version").get();
    await store.migrate();
    expect(other.prepare("PRAGMA data_version").get()).toEqual(before);
  });

  it.each([4, 6])(
    "S19: tables of format %i are refused with what to do, stay as they are, and leave room for new ones",
    async (format) => {
      const db = openHandle(driver, temporaryFile());
      makeOtherTables(db, format);
      const before = contentOf(db);
      const store = createRuledStore(db);
      const refused = {
        code: "store_unavailable",
        retryable: false,
        ambiguous: false,
        message: expect.stringMatching(
          /got the (older|newer) format \d.*in another file, or in code under another `tablePrefix`/,
        ),
      };
      for (const call of [
        () => store.migrate(),
        () => store.verify(),
        () => store.createRun(createOf("a")),
        () => store.append([appendOf("a")]),
        () => store.read([queryOf("a")]),
        () => store.probe(),
        () => store.subscribe("a", () => {}).ready,
      ]) {
        await expect(call()).rejects.toMatchObject(refused);
      }
      await store.close();
      const other = createRuledStore(db, { tablePrefix: "other_" });
      await other.migrate();
      expect(await other.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
      await other.close();
      expect(contentOf(db)).toEqual(before);
    },
  );

  it("S19: ten processes may migrate a new file at once", async () => {
    const file = temporaryFile();
    const peers = await Promise.all(oneTo(10).map(() => startPeer(driver, file)));
    await Promise.all(peers.map((peer) => peer.call("migrate")));
    const { db, store } = await openStore(driver, file);
    expect(db.prepare("SELECT migration FROM run_events_schema").all()).toEqual([
      expect.objectContaining({ migration: 5 }),
    ]);
    await store.createRun(createOf("a"));
    await Promise.all(peers.map((peer, value) => peer.call("append", { runId: "a", value })));
    expect(new Set(await readValues(store, "a")).size).toBe(10);
  });
});

describe("SQLite's version", () => {
  it.each([
    ["3.51.3", true],
    ["3.51.2", false],
    ["3.52.0", true],
    ["3.54.1", true],
    ["3.50.7", true],
    ["3.50.6", false],
    ["3.49.2", false],
    ["3.44.6", true],
    ["3.44.5", false],
    ["3.46.1", false],
    ["4.0.0", true],
    ["nonsense", false],
  ])("%s resets a WAL safely: %s", (version, safe) => {
    expect(isWalSafe(version)).toBe(safe);
  });
});

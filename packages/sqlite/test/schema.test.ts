import { describe, expect, it } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { isWalSafe } from "../src/sqlite-version.ts";
import { DRIVERS } from "./drivers.ts";
import { expectFirstRuns } from "@tm/run-events-test-servers/expectations";
import { makeFirstSchema } from "./first-schema.ts";
import { startPeer } from "./peers.ts";
import { appendOf, createOf, oneTo, readValues } from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("the schema on $name", (driver) => {
  it("S19: a file without tables is refused, and the error names the call to make", async () => {
    const store = createSqliteStore(openHandle(driver, temporaryFile()));
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

  it("S19: a file of the first schema is refused until it is migrated, and loses nothing", async () => {
    const db = openHandle(driver, temporaryFile());
    makeFirstSchema(db);
    const store = createSqliteStore(db);
    await expect(store.verify()).rejects.toMatchObject({
      message: expect.stringContaining("migrate()"),
    });
    await store.migrate();
    await expectFirstRuns(store);
    await store.close();
  });

  it("S19: an old program refuses a newer breaking schema", async () => {
    const file = temporaryFile();
    const { db } = await openStore(driver, file);
    db.exec("INSERT INTO run_events_schema VALUES (99, 1, 0)");
    const old = createSqliteStore(openHandle(driver, file));
    const refused = {
      code: "store_unavailable",
      retryable: false,
      message: expect.stringContaining("newer"),
    };
    await expect(old.migrate()).rejects.toMatchObject(refused);
    await expect(old.verify()).rejects.toMatchObject(refused);
    await expect(old.createRun(createOf("a"))).rejects.toMatchObject(refused);
    await old.close();
  });

  it("S19: an old program continues to work on a newer schema that breaks nothing", async () => {
    const file = temporaryFile();
    const { db } = await openStore(driver, file);
    db.exec("INSERT INTO run_events_schema VALUES (99, 0, 0)");
    const { store: old } = await openStore(driver, file);
    expect(await old.createRun(createOf("a"))).toMatchObject({ outcome: "created" });
  });

  it("S19: ten processes may migrate a new file at once", async () => {
    const file = temporaryFile();
    const peers = await Promise.all(oneTo(10).map(() => startPeer(driver, file)));
    await Promise.all(peers.map((peer) => peer.call("migrate")));
    const { db, store } = await openStore(driver, file);
    expect(db.prepare("SELECT migration FROM run_events_schema").all()).toEqual([
      expect.objectContaining({ migration: 1 }),
      expect.objectContaining({ migration: 2 }),
      expect.objectContaining({ migration: 3 }),
      expect.objectContaining({ migration: 4 }),
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

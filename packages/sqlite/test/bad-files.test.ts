import { mkdirSync, openSync, closeSync, statSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createRuledStore } from "./ruled-store.ts";
import { DRIVERS } from "./drivers.ts";
import {
  appendOf,
  createOf,
  endOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

/** The properties of a lasting failure: a plain message, and the driver's message only in the cause. */
function lasting(message: string): object {
  return {
    code: "store_unavailable",
    message,
    retryable: false,
    ambiguous: false,
    cause: expect.any(Error),
  };
}

describe.each(DRIVERS)("a bad file on $name", (driver) => {
  it("S20: a file that is not a database is unavailable", async () => {
    const file = temporaryFile();
    writeFileSync(file, "no database ".repeat(1_000));
    const store = createRuledStore(openHandle(driver, file));
    await expect(store.migrate()).rejects.toMatchObject(
      lasting("The file is not a database: check its path."),
    );
    await store.close();
  });

  it("S20: a file whose -wal cannot be opened is unavailable", async () => {
    const file = temporaryFile();
    const db = driver.open(file);
    await createRuledStore(db).migrate();
    db.close();
    mkdirSync(`${file}-wal`);
    const store = createRuledStore(openHandle(driver, file));
    await expect(store.migrate()).rejects.toMatchObject(
      lasting("The database file cannot be opened: check that its folder exists and is writable."),
    );
    await store.close();
  });

  it("S20: a read-only handle reads and does not write", async () => {
    const file = temporaryFile();
    const { store: writer } = await openStore(driver, file);
    await writer.createRun(createOf("a"));
    await writer.append([appendOf("a", 1)]);
    const store = createRuledStore(openHandle(driver, file, { readOnly: true }));
    await store.migrate();
    expect(await readValues(store, "a")).toEqual([1]);
    const readOnly = lasting("The database is read-only: make the file and its folder writable.");
    await expect(store.append([appendOf("a", 2)])).rejects.toMatchObject(readOnly);
    await expect(store.probe()).rejects.toMatchObject(readOnly);
    expect(await readValues(store, "a")).toEqual([1]);
    await store.close();
  });

  it("S20: a damaged file is unavailable", async () => {
    const file = temporaryFile();
    const db = driver.open(file);
    const healthy = createRuledStore(db);
    await healthy.migrate();
    await healthy.createRun(createOf("a"));
    await healthy.append(oneTo(200).map((value) => appendOf("a", "x".repeat(200) + value)));
    await healthy.close();
    db.close();
    const descriptor = openSync(file, "r+");
    // All pages but the first, which has the schema.
    writeSync(descriptor, Buffer.alloc(statSync(file).size - 4_096, 0xff), 0, undefined, 4_096);
    closeSync(descriptor);
    const store = createRuledStore(openHandle(driver, file));
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(
      lasting("The database file is damaged: restore a backup."),
    );
    await store.close();
  });

  it("S20: a full disk loses nothing acknowledged, and the run takes appends again once the disk has space", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    const { page_count: pages } = db.prepare("PRAGMA page_count").get() as {
      readonly page_count: number;
    };
    db.exec(`PRAGMA max_page_count = ${pages + 3}`);
    const acknowledged: unknown[] = [];
    const fill = async (): Promise<never> => {
      for (let count = 1; ; count++) {
        await store.append([appendOf("a", [count, "x".repeat(1_000)])]);
        acknowledged.push([count, "x".repeat(1_000)]);
      }
    };
    const full = lasting("The database's disk is full: free some space.");
    await expect(fill()).rejects.toMatchObject(full);
    await expect(store.probe()).rejects.toMatchObject(full);
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(await readValues(store, "a")).toEqual(acknowledged);
    db.exec("PRAGMA max_page_count = 1000000");
    await store.append([appendOf("a", "on"), endOf("a")]);
    expect(await readValues(store, "a")).toEqual([...acknowledged, "on", null]);
  });

  it("S20: tables that were dropped make the store unavailable, until they are made again", async () => {
    const { db, store } = await openStore(driver, temporaryFile());
    await store.createRun(createOf("a"));
    for (const table of ["receipts", "events", "probes", "runs", "schema"])
      db.exec(`DROP TABLE run_events_${table}`);
    const missing = lasting(
      "A table or a column is missing, which the `cause` names: call `migrate()`, or restore a backup.",
    );
    await expect(store.append([appendOf("a")])).rejects.toMatchObject(missing);
    await expect(store.read([queryOf("a")])).rejects.toMatchObject(missing);
    await store.migrate();
    await store.createRun(createOf("a"));
    await store.append([appendOf("a", 1)]);
    expect(await readValues(store, "a")).toEqual([1]);
  });
});

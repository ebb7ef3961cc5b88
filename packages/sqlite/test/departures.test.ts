import { copyFileSync, rmSync } from "node:fs";
import { DEPARTURES_MS } from "@tm/run-events-core/store";
import { createOf } from "@tm/run-events-test-servers/requests";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { appendRequest, event } from "../../conformance/src/append-request.ts";
import { ChangedReader } from "../../conformance/src/changed-reader.ts";
import { createSqliteStore, type SqliteStore } from "../src/index.ts";
import { DRIVERS } from "./drivers.ts";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("the departures on $name", (driver) => {
  it("S29: the departure of a cursor stays until the one after it is older than any cursor", async () => {
    const { store, db } = await openStore(driver, temporaryFile());
    const end = async (runId: string): Promise<void> => {
      await store.createRun(createOf(runId));
      await store.append([appendRequest(runId, [event("RUN_COMPLETED")])]);
    };
    const keys = (): unknown[] =>
      db
        .prepare("SELECT departure_key AS key FROM run_events_departures ORDER BY 1")
        .all()
        .map((row) => (row as { readonly key: number }).key);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const passTime = (): unknown => vi.setSystemTime(Date.now() + DEPARTURES_MS + 60_000);
    await end("a");
    await end("b");
    passTime();
    const reader = new ChangedReader();
    await reader.askAll(store);
    await end("c");
    expect(keys()).toEqual([2, 3]);
    // The cursor is good although nothing had departed for hours when it was made.
    expect(await reader.askAll(store)).toEqual({ runs: ["c"], gone: [] });
    passTime();
    await end("d");
    expect(keys()).toEqual([3, 4]);
  });

  it("S29: a key that comes again after a restored backup is that of another departure", async () => {
    const file = temporaryFile();
    const db = driver.open(file);
    const before = createSqliteStore(db);
    await before.migrate();
    const ask = (store: SqliteStore, since: string | null) =>
      store.listChanged({ ownerId: "ada", topic: null, since, limit: 9 });
    const end = async (store: SqliteStore, runId: string): Promise<void> => {
      await store.createRun(createOf(runId));
      await store.append([appendRequest(runId, [event("RUN_COMPLETED")])]);
    };
    const { cursor: early } = await ask(before, null);
    db.exec(`VACUUM INTO '${file}.backup'`);
    await end(before, "lost");
    const { cursor: ahead } = await ask(before, null);
    await before.close();
    db.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    copyFileSync(`${file}.backup`, file);
    const { store } = await openStore(driver, file);
    await end(store, "new");
    expect(await ask(store, early)).toMatchObject({ isReset: false, runs: [{ runId: "new" }] });
    expect(await ask(store, ahead)).toMatchObject({ isReset: true });
  });
});

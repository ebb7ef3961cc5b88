import { copyFileSync, rmSync } from "node:fs";
import { DEPARTURES_MS } from "@tm/run-events-core/store";
import { createOf } from "@tm/run-events-test-servers/requests";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { appendRequest, event } from "../../conformance/src/append-request.ts";
import { ChangedReader } from "../../conformance/src/changed-reader.ts";
import { createSqliteStore, type SqliteStore } from "../src/index.ts";
import { DRIVERS } from "./drivers.ts";
import { openStore, temporaryFile } from "./stores.ts";

async function end(store: SqliteStore, runId: string): Promise<void> {
  await store.createRun(createOf(runId));
  await store.append([appendRequest(runId, [event("RUN_COMPLETED")])]);
}

describe.each(DRIVERS)("the departures on $name", (driver) => {
  it("S29: the departure of a cursor stays until the one after it is older than any cursor", async () => {
    const { store, db } = await openStore(driver, temporaryFile());
    const keys = (): unknown[] =>
      db
        .prepare("SELECT departure_key AS key FROM run_events_departures ORDER BY 1")
        .all()
        .map((row) => (row as { readonly key: number }).key);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const passTime = (): unknown => vi.setSystemTime(Date.now() + DEPARTURES_MS + 60_000);
    await end(store, "a");
    await end(store, "b");
    passTime();
    const reader = new ChangedReader();
    await reader.askAll(store);
    await end(store, "c");
    expect(keys()).toEqual([2, 3]);
    // The cursor is good although nothing had departed for hours when it was made.
    expect(await reader.askAll(store)).toEqual({ runs: ["c"], gone: [] });
    passTime();
    await end(store, "d");
    expect(keys()).toEqual([3, 4]);
  });

  it("S29: old departures are forgotten in their order, also after the clock was set back", async () => {
    const { store, db } = await openStore(driver, temporaryFile());
    const count = (): unknown =>
      db.prepare("SELECT count(*) AS count FROM run_events_departures").all();
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const startMs = Date.now();
    const endAt = async (runId: string, ms: number): Promise<void> => {
      vi.setSystemTime(startMs + ms);
      await end(store, runId);
    };
    await endAt("a", 0);
    await endAt("b", DEPARTURES_MS / 2);
    await endAt("c", 1_000);
    // Both neighbours of "b" are older than any cursor.
    await endAt("d", DEPARTURES_MS + 60_000);
    for (let pause = 1; pause < 6; pause++) await endAt(`e${pause}`, 2 * pause * DEPARTURES_MS);
    expect(count()).toEqual([{ count: 2 }]);
  });

  it("S29: a cursor of before a departure that was forgotten starts over, also if the clock was set back since", async () => {
    const { store } = await openStore(driver, temporaryFile());
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const startMs = Date.now();
    const readers = [new ChangedReader(), new ChangedReader()] as const;
    for (const [at, reader] of readers.entries()) {
      await reader.askAll(store);
      await end(store, `first-${at}`);
    }
    vi.setSystemTime(startMs + 2 * DEPARTURES_MS);
    for (const runId of ["b", "c", "d"]) await end(store, runId);
    vi.setSystemTime(startMs + 60_000);
    for (const { cursor } of readers) {
      const answer = await store.listChanged({
        ownerId: "ada",
        topic: null,
        since: cursor,
        limit: 9,
      });
      expect(answer.isReset).toBe(true);
    }
  });

  it("S29: a key that comes again after a restored backup is that of another departure", async () => {
    const file = temporaryFile();
    const db = driver.open(file);
    const before = createSqliteStore(db);
    await before.migrate();
    const ask = (store: SqliteStore, since: string | null) =>
      store.listChanged({ ownerId: "ada", topic: null, since, limit: 9 });
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

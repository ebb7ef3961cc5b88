import { copyFileSync, existsSync, renameSync, rmSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRuledStore } from "./ruled-store.ts";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import { DRIVERS } from "./drivers.ts";
import { expectToWork, failureOf, LOST, openWithRun, startClock } from "./lost-calls.ts";
import { openHandle, temporaryFile } from "./stores.ts";

/** How the handle itself may remove its `-wal` and create another one. */
const SWITCHES: readonly (readonly string[])[] = [
  ["PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"],
  ["PRAGMA journal_mode = MEMORY", "PRAGMA user_version = 7", "PRAGMA journal_mode = WAL"],
  [
    "PRAGMA journal_mode = TRUNCATE",
    "VACUUM",
    "PRAGMA journal_mode = WAL",
    "SELECT * FROM sqlite_schema",
  ],
];

describe.each(DRIVERS)("a file that is lost on $name", (driver) => {
  it.each([
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA wal_checkpoint(RESTART)",
    "VACUUM",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA journal_mode = MEMORY",
    "PRAGMA locking_mode = EXCLUSIVE",
  ])("S6: %s on the handle is no loss", async (sql) => {
    const passTime = startClock();
    const { db, store } = await openWithRun(driver, temporaryFile());
    await store.append([appendOf("a", 1)]);
    db.exec(sql);
    passTime();
    await expectToWork(store, 1);
  });

  it.each(SWITCHES)(
    "S6: a handle that leaves the WAL and comes back (%s) loses nothing, and its new -wal is guarded",
    async (...statements) => {
      const passTime = startClock();
      const file = temporaryFile();
      const { db, store } = await openWithRun(driver, file);
      await store.append([appendOf("a", 1)]);
      for (const sql of statements) db.exec(sql);
      passTime();
      await expectToWork(store, 1);
      passTime();
      await store.append([appendOf("a", 3)]);
      rmSync(`${file}-wal`);
      passTime();
      expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(LOST);
    },
  );

  it("S6: a handle with an exclusive lock on the file has no -shm, and its -wal is guarded", async () => {
    const passTime = startClock();
    const file = temporaryFile();
    const db = openHandle(driver, file);
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const store = createRuledStore(db);
    onTestFinished(() => store.close());
    await store.migrate();
    await store.createRun(createOf("a"));
    expect(existsSync(`${file}-shm`)).toBe(false);
    passTime();
    await expectToWork(store);
    for (const mode of ["DELETE", "WAL"]) db.exec(`PRAGMA journal_mode = ${mode}`);
    passTime();
    await expectToWork(store, 1);
    rmSync(`${file}-wal`);
    passTime();
    expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(LOST);
  });

  it("S6: a handle that is used meanwhile, and comes back to the WAL, is guarded again", async () => {
    const passTime = startClock();
    const file = temporaryFile();
    const { db, store } = await openWithRun(driver, file);
    db.exec("PRAGMA journal_mode = DELETE");
    passTime();
    await expectToWork(store);
    db.exec("PRAGMA journal_mode = WAL");
    passTime();
    await expectToWork(store, 1);
    rmSync(`${file}-wal`);
    passTime();
    expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(LOST);
  });

  it.each(["removed", "replaced"])(
    "S6: a new -wal that is %s before any call of the store is a loss",
    async (how) => {
      const passTime = startClock();
      const file = temporaryFile();
      const { db, store } = await openWithRun(driver, file);
      for (const sql of ["DELETE", "WAL"]) db.exec(`PRAGMA journal_mode = ${sql}`);
      await expectToWork(store);
      copyFileSync(`${file}-wal`, `${file}-copy`);
      rmSync(`${file}-wal`);
      if (how === "replaced") renameSync(`${file}-copy`, `${file}-wal`);
      passTime();
      expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(LOST);
      expect(await failureOf(store.probe())).toMatchObject(LOST);
    },
  );
});

import { closeSync, existsSync, openSync, rmSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRuledStore } from "./ruled-store.ts";
import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import { DRIVERS } from "./drivers.ts";
import { expectToWork, failureOf, LOST, openWithRun, startClock } from "./lost-calls.ts";
import { openHandle, temporaryFile } from "./stores.ts";

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

  it("S6: a handle that leaves the WAL and comes back between two calls is refused with what to do", async () => {
    const passTime = startClock();
    const file = temporaryFile();
    const { db, store } = await openWithRun(driver, file);
    // While it is open, no other file gets its inode.
    const descriptor = openSync(`${file}-wal`, "r");
    onTestFinished(() => closeSync(descriptor));
    for (const mode of ["DELETE", "WAL"]) db.exec(`PRAGMA journal_mode = ${mode}`);
    db.exec("CREATE TABLE other (x)");
    passTime();
    expect(await failureOf(store.append([appendOf("a", "on")]))).toMatchObject({
      ...LOST,
      message: expect.stringMatching(/nothing is lost: create the store on a new handle/),
    });
    const again = createRuledStore(openHandle(driver, file));
    await expectToWork(again);
    await again.close();
  });

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
    for (const before of [1, 2]) {
      passTime();
      await expectToWork(store, before);
    }
    rmSync(`${file}-wal`);
    passTime();
    expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(LOST);
  });
});

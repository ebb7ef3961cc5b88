import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { lineOf } from "@tm/run-events-test-servers/joined-appends";
import { basename, dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRuledStore, type RuledStore } from "./ruled-store.ts";
import { DRIVERS } from "./drivers.ts";
import { expectToWork, failureOf, LOST, openWithRun, startClock } from "./lost-calls.ts";
import { startPeer } from "./peers.ts";
import { appendOf, createOf, listIds, queryOf } from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

/** Every call of the store. */
function callsOf(store: RuledStore): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    append: () => store.append([appendOf("a", "lost")]),
    change: () => store.createRun(createOf("b")),
    probe: () => store.probe(),
    migrate: () => store.migrate(),
    verify: () => store.verify(),
    read: () => store.read([queryOf("a")]),
    "list of an owner": () => listIds(store),
    "list of due runs": () => store.listDue({ due: "running", forMs: 0, limit: 1 }),
    subscribe: () => store.subscribe("a", () => {}).ready,
  };
}

const removeAll = (file: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix);
};

/** Acts of an operator on the database of a running program. */
const LOSSES: readonly (readonly [string, string, (file: string) => void])[] = [
  ["all files are removed", "database file", removeAll],
  ["the file alone is removed", "database file", (file) => rmSync(file)],
  ["the -wal is removed", "-wal", (file) => rmSync(`${file}-wal`)],
  ["the -shm is removed", "-shm", (file) => rmSync(`${file}-shm`)],
  [
    "a backup is moved over the file",
    "database file",
    (file) => {
      copyFileSync(file, `${file}.backup`);
      renameSync(`${file}.backup`, file);
    },
  ],
  [
    "the files are removed and made again",
    "database file",
    (file) => {
      copyFileSync(file, `${file}.backup`);
      removeAll(file);
      copyFileSync(`${file}.backup`, file);
    },
  ],
  [
    "the folder is moved",
    "database file",
    (file) => {
      const moved = `${dirname(file)}-moved`;
      renameSync(dirname(file), moved);
      onTestFinished(() => rmSync(moved, { recursive: true }));
    },
  ],
];

describe.each(DRIVERS)("a file that is lost on $name", (driver) => {
  it.each(LOSSES)("S6, S31: when %s, every call fails with that reason", async (_, named, lose) => {
    const file = temporaryFile();
    const { db, store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    await store.append([appendOf("a", 1)]);
    lose(file);
    // A call may trust a check of the last milliseconds.
    await expect
      .poll(() => failureOf(store.append([appendOf("a", "lost")])))
      .toMatchObject({ ...LOST, message: expect.stringContaining(named) });
    for (const [name, call] of Object.entries(callsOf(store))) {
      expect(await failureOf(call()), name).toMatchObject(LOST);
    }
    db.exec("BEGIN IMMEDIATE");
    expect(() => store.appendInTransaction(lineOf("lost"))).toThrow(expect.objectContaining(LOST));
    db.exec("ROLLBACK");
  });

  it.each([
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA wal_checkpoint(RESTART)",
    "VACUUM",
    "PRAGMA locking_mode = EXCLUSIVE",
  ])("S6: %s on the handle is no loss", async (sql) => {
    const passTime = startClock();
    const { db, store } = await openWithRun(driver, temporaryFile());
    await store.append([appendOf("a", 1)]);
    db.exec(sql);
    passTime();
    await expectToWork(store, 1);
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

  it("S6: a file that was moved away and back is used again", async () => {
    const file = temporaryFile();
    const { store } = await openWithRun(driver, file);
    renameSync(file, `${file}.away`);
    await expect.poll(() => failureOf(store.probe())).toMatchObject(LOST);
    renameSync(`${file}.away`, file);
    await expectToWork(store);
  });

  it("S6: a checkpoint, a VACUUM or the end of another process is no loss", async () => {
    const file = temporaryFile();
    const { store } = await openWithRun(driver, file);
    const peer = await startPeer(driver, file);
    await peer.call("append", { runId: "a", value: 1 });
    const other = driver.open(file);
    other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    other.exec("VACUUM");
    other.close();
    await peer.kill();
    await expectToWork(store, 1);
  });

  it("S6: a -wal that a dead process left, and another removes, is no loss", async () => {
    const file = temporaryFile();
    const peer = await startPeer(driver, file);
    await peer.call("migrate");
    await peer.kill();
    const db = openHandle(driver, file);
    const store = createRuledStore(db);
    onTestFinished(() => store.close());
    expect(existsSync(`${file}-wal`)).toBe(true);
    const other = driver.open(file);
    other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    other.close();
    await store.createRun(createOf("a"));
    await expectToWork(store);
  });

  it("S6: a path that is relative, or goes through a symbolic link, is no loss", async () => {
    const file = temporaryFile();
    const linked = join(dirname(file), "linked.db");
    mkdirSync(join(dirname(file), "real"));
    symlinkSync(join("real", basename(file)), linked);
    const { store } = await openWithRun(driver, linked);
    await expectToWork(store);
    // SQLite has the file itself open, so a later change of the name does not matter.
    rmSync(linked);
    await expectToWork(store, 1);
  });

  it.each([":memory:", ""])("S6: a database without a file (%j) has none to lose", async (name) => {
    const { store } = await openWithRun(driver, name);
    await expectToWork(store);
  });
});

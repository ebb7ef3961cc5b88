import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FileGuard } from "../src/file-guard.ts";
import { createSqliteStore, type SqliteStore } from "../src/index.ts";
import { type Driver, driverOf, DRIVERS } from "./drivers.ts";
import { startPeer } from "./peers.ts";
import {
  appendOf,
  claimOf,
  createOf,
  oneTo,
  queryOf,
  readValues,
} from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

const GONE = { code: "store_unavailable", retryable: false, ambiguous: false };

/** Every call that the store has for a run. */
function callsOf(store: SqliteStore): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    append: () => store.append([appendOf("a", "lost")]),
    createRun: () => store.createRun(createOf("b")),
    claim: () => store.claim(claimOf("a")),
    purge: () => store.purge({ finishedForMs: 0, limit: 1 }),
    deleteRun: () => store.deleteRun("a", null),
    probe: () => store.probe(),
    migrate: () => store.migrate(),
    verify: () => store.verify(),
    read: () => store.read([queryOf("a")]),
    getRun: () => store.getRun("a"),
    listRuns: () => store.listRuns({ ownerId: "ada", runStatus: null, before: null, limit: 1 }),
    listExpired: () => store.listExpired({ graceMs: 0, limit: 1 }),
    watch: () => store.watch("a", () => {}).ready,
  };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { passed: await call };
  } catch (error) {
    return error;
  }
}

const removeAll = (file: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix);
};

/** What an operator does to a database under a running program. */
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

/** Lets enough time pass that the next call looks at the files again. */
function startClock(): () => void {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  return () => void vi.advanceTimersByTime(11);
}

/** How the handle itself may remove its `-wal` and make another one. */
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
  it.each(LOSSES)("S6, S31: when %s, every call says so", async (_, named, lose) => {
    const file = temporaryFile();
    const { db, store } = await openStore(driver, file);
    await store.createRun(createOf("a"));
    await store.append([appendOf("a", 1)]);
    lose(file);
    // A call may trust a look of the last milliseconds.
    await expect
      .poll(() => failureOf(store.append([appendOf("a", "lost")])))
      .toMatchObject({ ...GONE, message: expect.stringContaining(named) });
    for (const [name, call] of Object.entries(callsOf(store))) {
      expect(await failureOf(call()), name).toMatchObject(GONE);
    }
    db.exec("BEGIN IMMEDIATE");
    expect(() =>
      store.appendInTransaction({ runId: "a", events: [{ eventType: "LOG_LINE" }] }),
    ).toThrow(expect.objectContaining(GONE));
    db.exec("ROLLBACK");
  });

  it("S6: a file that was moved away and put back again is used again", async () => {
    const file = temporaryFile();
    const { store } = await openWithRun(driver, file);
    renameSync(file, `${file}.away`);
    await expect.poll(() => failureOf(store.probe())).toMatchObject(GONE);
    renameSync(`${file}.away`, file);
    await expectToGoOn(store);
  });

  async function expectToGoOn(store: SqliteStore, before = 0): Promise<void> {
    await store.append([appendOf("a", before + 1)]);
    await store.probe();
    expect(await readValues(store, "a")).toEqual(oneTo(before + 1));
  }

  async function openWithRun(opening: Driver, file: string): ReturnType<typeof openStore> {
    const opened = await openStore(opening, file);
    await opened.store.createRun(createOf("a"));
    return opened;
  }

  it.each([
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA wal_checkpoint(RESTART)",
    "VACUUM",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA journal_mode = MEMORY",
    "PRAGMA locking_mode = EXCLUSIVE",
  ])("S6: %s on the handle is no loss", async (sql) => {
    const lookAgain = startClock();
    const { db, store } = await openWithRun(driver, temporaryFile());
    await store.append([appendOf("a", 1)]);
    db.exec(sql);
    lookAgain();
    await expectToGoOn(store, 1);
  });

  it.each(SWITCHES)(
    "S6: a handle that leaves the WAL and comes back (%s) has lost nothing, and its new -wal is guarded",
    async (...statements) => {
      const lookAgain = startClock();
      const file = temporaryFile();
      const { db, store } = await openWithRun(driver, file);
      await store.append([appendOf("a", 1)]);
      for (const sql of statements) db.exec(sql);
      lookAgain();
      await expectToGoOn(store, 1);
      lookAgain();
      await store.append([appendOf("a", 3)]);
      rmSync(`${file}-wal`);
      lookAgain();
      expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(GONE);
    },
  );

  it("S6: a handle that has the file for itself has no -shm, and its -wal is guarded", async () => {
    const lookAgain = startClock();
    const file = temporaryFile();
    const db = openHandle(driver, file);
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const store = createSqliteStore(db);
    onTestFinished(() => store.close());
    await store.migrate();
    await store.createRun(createOf("a"));
    expect(existsSync(`${file}-shm`)).toBe(false);
    lookAgain();
    await expectToGoOn(store);
    for (const mode of ["DELETE", "WAL"]) db.exec(`PRAGMA journal_mode = ${mode}`);
    lookAgain();
    await expectToGoOn(store, 1);
    rmSync(`${file}-wal`);
    lookAgain();
    expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(GONE);
  });

  it("S6: a handle that is used meanwhile, and comes back to the WAL, is guarded again", async () => {
    const lookAgain = startClock();
    const file = temporaryFile();
    const { db, store } = await openWithRun(driver, file);
    db.exec("PRAGMA journal_mode = DELETE");
    lookAgain();
    await expectToGoOn(store);
    db.exec("PRAGMA journal_mode = WAL");
    lookAgain();
    await expectToGoOn(store, 1);
    rmSync(`${file}-wal`);
    lookAgain();
    expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(GONE);
  });

  it.each(["removed", "replaced"])(
    "S6: a new -wal that is %s before any call of the store is a loss",
    async (how) => {
      const lookAgain = startClock();
      const file = temporaryFile();
      const { db, store } = await openWithRun(driver, file);
      for (const sql of ["DELETE", "WAL"]) db.exec(`PRAGMA journal_mode = ${sql}`);
      await expectToGoOn(store);
      copyFileSync(`${file}-wal`, `${file}-copy`);
      rmSync(`${file}-wal`);
      if (how === "replaced") renameSync(`${file}-copy`, `${file}-wal`);
      lookAgain();
      expect(await failureOf(store.append([appendOf("a", "lost")]))).toMatchObject(GONE);
      expect(await failureOf(store.probe())).toMatchObject(GONE);
    },
  );

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
    await expectToGoOn(store, 1);
  });

  it("S6: a -wal that a dead process has left, and another takes away, is no loss", async () => {
    const file = temporaryFile();
    const peer = await startPeer(driver, file);
    await peer.call("migrate");
    await peer.kill();
    const db = openHandle(driver, file);
    const store = createSqliteStore(db);
    onTestFinished(() => store.close());
    expect(existsSync(`${file}-wal`)).toBe(true);
    const other = driver.open(file);
    other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    other.close();
    await store.createRun(createOf("a"));
    await expectToGoOn(store);
  });

  it("S6: a path that is relative, or goes through a symbolic link, is no loss", async () => {
    const file = temporaryFile();
    const linked = join(dirname(file), "linked.db");
    mkdirSync(join(dirname(file), "real"));
    symlinkSync(join("real", basename(file)), linked);
    const { store } = await openWithRun(driver, linked);
    await expectToGoOn(store);
    // SQLite has the file itself: that the name leads elsewhere later is nothing to it.
    rmSync(linked);
    await expectToGoOn(store, 1);
  });

  it.each([":memory:", ""])("S6: a database in no file (%j) has nothing to lose", async (name) => {
    const { store } = await openWithRun(driver, name);
    await expectToGoOn(store);
    expect(store.walBytes()).toBeNull();
  });
});

it("S6: where open files are not shown, a handle that left the WAL and came back is refused, and the message says what to do", () => {
  const lookAgain = startClock();
  const file = temporaryFile();
  const db = openHandle(driverOf("node:sqlite"), file);
  db.exec("PRAGMA journal_mode = WAL");
  db.exec("CREATE TABLE t (x)");
  const missing = (): never => {
    throw new Error("ENOENT");
  };
  const guard = new FileGuard(file, { statSync, readdirSync: missing, fstatSync: missing });
  const handle = { isWal: () => true, read: () => db.exec("SELECT * FROM t") };
  guard.noteLog();
  guard.check(handle);
  copyFileSync(`${file}-wal`, `${file}-copy`);
  renameSync(`${file}-copy`, `${file}-wal`);
  lookAgain();
  const refused = expect.objectContaining({
    ...GONE,
    message: expect.stringMatching(/came back, nothing is lost. Close it, and create the store/),
  });
  expect(() => guard.check(handle)).toThrow(refused);
  expect(() => guard.check(handle)).toThrow(refused);
});

it("S6: where the runtime has no file system, or does not show the file, nothing is lost", () => {
  const file = temporaryFile();
  const never = (): never => {
    throw new Error("Expected not to be asked.");
  };
  const failing = {
    statSync: never,
    readdirSync: never,
    fstatSync: never,
  };
  for (const guard of [new FileGuard(file, null), new FileGuard(file, failing)]) {
    guard.noteLog();
    guard.check({ isWal: never, read: never });
    expect(guard.walBytes()).toBeNull();
  }
});

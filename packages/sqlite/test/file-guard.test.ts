import { copyFileSync, renameSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { FileGuard } from "../src/file-guard.ts";
import { driverOf } from "./drivers.ts";
import { LOST, startClock } from "./lost-calls.ts";
import { openHandle, temporaryFile } from "./stores.ts";

it("S6: where the system hides open files, a handle that left the WAL and came back is refused with a message of what to do", () => {
  const passTime = startClock();
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
  passTime();
  const refused = expect.objectContaining({
    ...LOST,
    message: expect.stringMatching(/came back, nothing is lost. Close it, and create the store/),
  });
  expect(() => guard.check(handle)).toThrow(refused);
  expect(() => guard.check(handle)).toThrow(refused);
});

it("S6: where the runtime has no file system, or does not show the file, no file counts as lost", () => {
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

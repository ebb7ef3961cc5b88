import { copyFileSync, rmSync } from "node:fs";
import { OWED, playLostEnd } from "@tm/run-events-test-servers/lost-end";
import { describe, expect, it } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { DRIVERS } from "./drivers.ts";
import { openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("a restored backup on $name", (driver) => {
  it("W46: each reader that was ahead learns of it, however late, and no other one", async () => {
    const file = temporaryFile();
    const db = driver.open(file);
    const store = createSqliteStore(db);
    await store.migrate();
    const results = await playLostEnd(
      {
        store,
        async hold() {
          db.exec(`VACUUM INTO '${file}.backup'`);
        },
        async lose() {
          db.close();
          for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
          copyFileSync(`${file}.backup`, file);
          return (await openStore(driver, file)).store.inner;
        },
      },
      { hasWorker: false },
    );
    expect(results).toEqual(OWED);
  });
});
